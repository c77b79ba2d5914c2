"""Figures, days and owners as pages for people write them."""

from collections.abc import Iterable
from datetime import date

from integrationhub.arrears.book import OPEN

FIGURES = ("receiving parent", "Secretary of State", "owner not known", "suspended, receiving parent",
           "suspended, Secretary of State", "held as custodian")  # fmt: skip
"""A case's figures in their order."""

OWNERS = {"RECEIVING_PARENT": "RP", "SECRETARY_OF_STATE": "SoS"}


def pounds(pence: int | None) -> str:
    """Pence as pounds: -1,234.50."""
    if pence is None:
        return "–"
    sign = "-" if pence < 0 else ""
    return f"{sign}{abs(pence) // 100:,}.{abs(pence) % 100:02d}"


def day_text(day: date | None) -> str:
    """A day, an open end, or one that nobody knows."""
    return "not known" if day is None else "open" if day == OPEN else day.isoformat()


def delta(figures: Iterable[int]) -> str:
    """What is added to which figure."""
    parts = [f"{name} {pounds(pence)}" for name, pence in zip(FIGURES, figures, strict=True) if pence]
    return ", ".join(parts) or "nothing"
