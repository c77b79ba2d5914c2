"""Named points of the work at which a fault test lets the process die."""

import os
from collections.abc import Callable


def crash_points() -> Callable[[str], None]:
    """What is called at named points of the work: nothing, unless a fault test asks the process to kill itself there.

    `INTEGRATIONHUB_TEST_CRASH_AT=POINT` or `POINT:N` (the Nth time) sends SIGKILL to this process at that point.
    """
    wanted, _, times = os.environ.get("INTEGRATIONHUB_TEST_CRASH_AT", "").partition(":")
    left = int(times or 1)

    def reached(point: str) -> None:
        nonlocal left
        if point == wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), 9)

    return reached
