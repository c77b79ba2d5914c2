"""`python -m tests.services install`: what `make test` runs first, so that no test waits for apt."""

import sys

from tests.services.choice import MissingServiceError
from tests.services.servers import PACKAGES, ready


def main(arguments: list[str]) -> int:
    """Install what is missing, and print one line on where each server comes from."""
    if arguments != ["install"]:
        sys.stderr.write("usage: python -m tests.services install\n")
        return 2
    try:
        ways = [f"{service} from {ready(service)}" for service in PACKAGES]
    except MissingServiceError as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    sys.stdout.write(f"Test services: {', '.join(ways)}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
