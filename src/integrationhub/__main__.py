"""`python -m integrationhub`: the same as the command `integrationhub`."""

from integrationhub.cli import main

if __name__ == "__main__":
    main()
