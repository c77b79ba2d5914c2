"""Which debt or case a receipt is meant for, by the references in its texts (benefits-common.md §9).

A payer's name is never used. Four classes of references are tried in their order; the first that yields a known target
decides, for better or worse.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, KnownCase
from integrationhub.accounts.nino import Worth, compact, worth
from integrationhub.accounts.shelf import Wanted

_DEBT = re.compile(r"(?<![A-Z0-9])(DM|UD)[ \-/]?([0-9](?:[ \-]?[0-9]){9})(?![ \-]?[0-9])")
_CASES = (
    re.compile(r"(?<![A-Z0-9])121[0-9]{9}(?![A-Z0-9])"),
    re.compile(r"(?<![A-Z0-9])(?:10|70)[0-9]{8}(?![A-Z0-9])"),
)
_NINO = re.compile(r"(?<![A-Z0-9])[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D](?![A-Z0-9])")

Target = TypeVar("Target")

UNMATCHED = "UNMATCHED"
AMBIGUOUS_REF = "AMBIGUOUS_REF"
AMBIGUOUS_NINO = "AMBIGUOUS_NINO"
DEBT_CLOSED = "DEBT_CLOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A target, or the reason why there is none. `by_reference`: a debt reference named it, not a person's number."""

    debt: Debt | None = None
    case: KnownCase | None = None
    reason: str | None = None
    by_reference: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Finds the target of receipts. `synthetic`: test identities are usable."""

    synthetic: bool

    def wants(self, texts: Iterable[str | None]) -> Wanted:
        """What of the book a match of these texts looks up."""
        plain = _plain(texts)
        cases = [ref for pattern in _CASES for ref in _found(pattern, plain)]
        return Wanted(
            debts=frozenset(_debt_references(plain)),
            cases=frozenset(cases),
            ninos=frozenset(number[:8] for number in self._numbers(plain)),
        )

    def match(self, texts: Iterable[str | None], book: Book) -> Match:
        """The one target that the texts name; texts in the order of the feed's document."""
        plain = _plain(texts)
        if debts := _known(_debt_references(plain), book.debt):
            return _only_debt(debts)
        for pattern in _CASES:
            if cases := _known(_found(pattern, plain), book.case):
                return _only_case(cases)
        return self._by_person(plain, book)

    def _by_person(self, plain: Sequence[str], book: Book) -> Match:
        found = {debt.ref: debt for number in self._numbers(plain) for debt in book.debts_of(number)}
        still_owed = [debt for debt in found.values() if debt.is_open and book.balance(debt) > 0]
        if len(still_owed) > 1:
            return Match(reason=AMBIGUOUS_NINO)
        return Match(debt=still_owed[0]) if still_owed else Match(reason=UNMATCHED)

    def _numbers(self, plain: Sequence[str]) -> Iterator[str]:
        for text in _found(_NINO, plain):
            number = compact(text)
            if worth(number, synthetic=self.synthetic) is Worth.USABLE:
                yield number


def _plain(texts: Iterable[str | None]) -> list[str]:
    return [unicodedata.normalize("NFKC", text).upper() for text in texts if text]


def _debt_references(plain: Sequence[str]) -> Iterator[str]:
    for text in plain:
        for letters, digits in _DEBT.findall(text):
            yield letters + digits.replace(" ", "").replace("-", "")


def _found(pattern: re.Pattern[str], plain: Sequence[str]) -> Iterator[str]:
    for text in plain:
        yield from pattern.findall(text)


def _known(references: Iterable[str], look_up: Callable[[str], Target | None]) -> list[Target]:
    """The distinct targets that are known, in the order in which they were named."""
    found = (look_up(reference) for reference in dict.fromkeys(references))
    return [item for item in found if item is not None]


def _only_debt(debts: Sequence[Debt]) -> Match:
    if len(debts) > 1:
        return Match(reason=AMBIGUOUS_REF, by_reference=True)
    (debt,) = debts
    if not debt.is_open:
        return Match(reason=DEBT_CLOSED, by_reference=True)
    return Match(debt=debt, by_reference=True)


def _only_case(cases: Sequence[KnownCase]) -> Match:
    if len(cases) > 1:
        return Match(reason=AMBIGUOUS_REF)
    (case,) = cases
    return Match(case=case) if case.is_open else Match(reason=DEBT_CLOSED)
