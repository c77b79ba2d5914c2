"""Faults of a copybook, collected while reading goes on."""

from integrationhub.decode.copybook.source import Place
from integrationhub.errors import ConfigurationError


class Faults:
    """Everything that is wrong with one copybook, each with file, line and column, and what was expected there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._found: list[tuple[str, int, int, str]] = []

    def add(self, place: Place, text: str) -> None:
        """Note one fault."""
        self._found.append((place.file, place.line, place.column, text))

    def raise_any(self) -> None:
        """ConfigurationError with all faults in source order, when there is one."""
        if not self._found:
            return
        texts = [
            f"{file or self.name}:{line}:{column}: {text}" for file, line, column, text in sorted(set(self._found))
        ]
        raise ConfigurationError(
            f"copybook {self.name} has {len(texts)} fault{'s' if len(texts) > 1 else ''}: {texts[0]}",
            faults=texts,
            code="COPYBOOK_INVALID",
            remedy="correct the copybook at the places named",
        )
