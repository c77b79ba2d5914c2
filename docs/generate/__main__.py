"""`python -m docs.generate`: write docs/reference anew from the code. A test compares it with what is committed."""

from pathlib import Path

from docs.generate import pages

REFERENCE = Path(__file__).parents[1] / "reference"


def main() -> None:
    """Write every page, and remove what no page is any more."""
    wanted = {REFERENCE / name: text for name, text in pages().items()}
    for path in {*REFERENCE.rglob("*.md"), *REFERENCE.rglob("*.json")} - set(wanted):
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
