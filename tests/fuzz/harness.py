"""One coverage-guided run; started by `python -m tests.fuzz` in the environment that has Atheris."""

import sys

import atheris  # type: ignore[import-untyped] # it stands in an environment of its own

with atheris.instrument_imports(include=["integrationhub.decode"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """harness.py TARGET, then libFuzzer's own arguments."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
