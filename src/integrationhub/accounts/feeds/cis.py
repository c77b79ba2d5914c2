"""Answers to identity questions (cis.md). Key: the response's id.

Units are of the form `identity_answers`. Fault: TEXT_CONTROL_CHAR.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from integrationhub.accounts.book import Book, letters
from integrationhub.accounts.entries import Debt, Note
from integrationhub.accounts.nino import Worth, compact, same_person, worth
from integrationhub.accounts.once import KEY_CONFLICT, once, seen_key
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.sdk.units import Options

REQUEST = "request"
"""Notes of questions that were asked: request id → debt_ref, asked_nino."""

ANSWER = "answer"
CONFIDENT = range(95, 101)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What an answer says of the party: its number (None: it has none that identifies it), and how sure that is."""

    nino: str | None
    status: str
    details: Mapping[str, Any] | None = None
    same_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CisJudge:
    """Judges answers one after the other. `synthetic`: test identities are usable."""

    synthetic: bool

    def wants(self, unit: Unit) -> Wanted:
        """See `Judge`."""
        request = unit.values["request_id"]
        numbers = [compact(unit.values[name] or "") for name in ("nino", "superseded_by")]
        return Wanted(
            ninos=frozenset(number[:8] for number in numbers if self._worth(number) is Worth.USABLE),
            notes=frozenset({seen_key(unit), (unit.feed, REQUEST, request), (unit.feed, ANSWER, request)}),
        )

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """See `Judge`."""
        return once(unit, book, self._judge)

    def _judge(self, unit: Unit, book: Book) -> Verdict:
        request = unit.values["request_id"]
        asked, answered = (book.note(unit.feed, kind, request) for kind in (REQUEST, ANSWER))
        if asked is None:
            return Verdict.exception("REQUEST_UNKNOWN")
        said = {"result": unit.values["result"], "nino": compact(unit.values["nino"] or "")[:8]}
        if answered is not None:
            same = {name: answered.value[name] for name in said} == said
            return Verdict.duplicate("ALREADY_ANSWERED") if same else Verdict.exception(KEY_CONFLICT)
        book.keep(Note(feed=unit.feed, kind=ANSWER, key=request, value=said, about=asked.value["debt_ref"]))
        return self._answer(unit, asked, book)

    def _answer(self, unit: Unit, asked: Note, book: Book) -> Verdict:
        if "TEXT_CONTROL_CHAR" in unit.faults:
            return Verdict.exception("TEXT_CONTROL_CHAR")
        read = _RESULTS.get(unit.values["result"])
        if read is None:
            return Verdict.exception("UNKNOWN_CODE")
        debt = book.debt(asked.value["debt_ref"])
        if debt is None:
            return Verdict.exception("DEBT_UNKNOWN")
        found = read(self, unit, asked, debt, book)
        return found if isinstance(found, Verdict) else _settle(found, debt, book)

    def verified(self, unit: Unit, asked: Note, debt: Debt, _book: Book) -> _Found | Verdict:
        """The number is the one that was asked about."""
        said = compact(unit.values["nino"] or "")
        if not same_person(said or None, compact(asked.value["asked_nino"] or "") or None):
            return Verdict.exception("NINO_MISMATCH")
        return _Found(nino=_longest(said, debt), status="VERIFIED")

    def traced(self, unit: Unit, _asked: Note, debt: Debt, book: Book) -> _Found | Verdict:
        """The party's number was found, surely enough."""
        number = compact(unit.values["nino"] or "")
        if self._worth(number) is not Worth.USABLE:
            return Verdict.exception("NINO_FORMAT")
        if (unit.values["confidence"] or 0) not in CONFIDENT:
            return Verdict.exception("LOW_CONFIDENCE")
        return _taken_over(_Found(nino=number, status="TRACED"), debt, book)

    def temporary(self, unit: Unit, _asked: Note, _debt: Debt, _book: Book) -> _Found | Verdict:
        """The party has a temporary number only, which identifies nobody."""
        number = compact(unit.values["nino"] or "")
        if self._worth(number) is not Worth.TEMPORARY:
            return Verdict.exception("NINO_FORMAT")
        return _Found(nino=None, status="TEMPORARY", details={"temporary_nino": number})

    def merged(self, unit: Unit, _asked: Note, debt: Debt, book: Book) -> _Found | Verdict:
        """Another number took the place of the party's; the old one is kept for search."""
        number = compact(unit.values["superseded_by"] or "")
        if self._worth(number) is not Worth.USABLE:
            return Verdict.exception("NINO_FORMAT")
        aliases = [*debt.details.get("nino_aliases", ()), *([debt.nino] if debt.nino else ())]
        found = _Found(nino=number, status="VERIFIED", details={"nino_aliases": aliases})
        return _taken_over(found, debt, book)

    def not_found(self, _unit: Unit, _asked: Note, debt: Debt, _book: Book) -> _Found | Verdict:
        """Nobody knows the party."""
        return _Found(nino=debt.nino, status="UNVERIFIED")

    def _worth(self, number: str) -> Worth:
        return worth(number, synthetic=self.synthetic)


def build(options: Options) -> CisJudge:
    """The judge of the feed."""
    return CisJudge(synthetic=options.synthetic_identities)


_RESULTS: Mapping[str, Callable[[CisJudge, Unit, Note, Debt, Book], _Found | Verdict]] = {
    "VERIFIED": CisJudge.verified,
    "TRACED": CisJudge.traced,
    "TEMPORARY": CisJudge.temporary,
    "MERGED": CisJudge.merged,
    "NOT_FOUND": CisJudge.not_found,
}


def _taken_over(found: _Found, debt: Debt, book: Book) -> _Found | Verdict:
    """A number that others have already: only where they are the same person may the party get it."""
    assert found.nino is not None
    others = [other for other in book.debts_of(found.nino) if other.ref != debt.ref]
    if not all(_same(debt, other) for other in others):
        return Verdict.exception("PARTY_MERGE")
    return replace(found, same_person=bool(others))


def _same(one: Debt, other: Debt) -> bool:
    names = letters(one.surname or ""), letters(other.surname or "")
    return one.dob is not None and one.dob == other.dob and names[0] == names[1] != ""


def _longest(said: str, debt: Debt) -> str:
    """The number with its suffix, whoever has it."""
    held = debt.nino if same_person(debt.nino, said) else None
    return held if held is not None and len(held) > len(said) else said


def _settle(found: _Found, debt: Debt, book: Book) -> Verdict:
    """The party, which is the debtor of all debts under its number, is known so from now on."""
    own = book.debts_of(debt.nino) if debt.nino else []
    for held in {debt.ref: debt} | {other.ref: other for other in own}:
        party = book.debt(held)
        assert party is not None
        details = {**party.details, **(found.details or {})}
        book.put(replace(party, nino=found.nino, nino_status=found.status, details=details))
    book.tell("identity.changed", {"debt_ref": debt.ref, "nino_status": found.status})
    canonical = {"type": "identity", "debt_ref": debt.ref, "nino": found.nino, "nino_status": found.status}
    return Verdict.loaded(canonical, *(("SAME_PERSON",) if found.same_person else ()))
