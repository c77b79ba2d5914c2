"""`python -m tests.services install`: what `make test` runs first, so that no test waits for apt.

`python -m tests.services rabbit4 DIR` makes a chroot with a newer RabbitMQ (tests.services.chroot).
"""

import sys
from pathlib import Path

from tests.services.choice import MissingServiceError
from tests.services.chroot import SUITE, make
from tests.services.servers import PACKAGES, ready


def main(arguments: list[str]) -> int:
    """Install what is missing, and print one line on where each server comes from."""
    try:
        if arguments[:1] == ["rabbit4"] and len(arguments) == len(("rabbit4", "DIR")):
            make(Path(arguments[1]))
            sys.stdout.write(f"RabbitMQ of Debian {SUITE} is in {arguments[1]}.\n")
            return 0
        if arguments != ["install"]:
            sys.stderr.write("usage: python -m tests.services install | rabbit4 DIR\n")
            return 2
        ways = [f"{service} from {ready(service)}" for service in PACKAGES]
    except MissingServiceError as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    sys.stdout.write(f"Test services: {', '.join(ways)}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
