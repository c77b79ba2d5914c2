"""Forms and letters in scanned mail (paper-forms.md). Key: the document's id; the kind is the form.

Units are of the form `paper_documents`. Faults: LOW_CONFIDENCE, TEXT_CONTROL_CHAR, CODE_UNKNOWN, MONEY_FORMAT,
DATE_INVALID.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrationhub.accounts.addresses import postcode
from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Note
from integrationhub.accounts.holds import dispute
from integrationhub.accounts.life import told
from integrationhub.accounts.nino import Worth, compact, worth
from integrationhub.accounts.once import once, seen_key
from integrationhub.accounts.people import ADDRESS, is_debtor, keep_version, owes, wants_person
from integrationhub.accounts.plans import Offer, propose
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.sdk.units import Options

OFFER, ADDRESS_CHANGE, DISPUTE, EVIDENCE, LETTER = "DM01", "DM02", "DM03", "DM04", "CM01"

MANDATORY: Mapping[str, frozenset[str]] = {
    OFFER: frozenset({"nino", "debt_ref", "instalment", "frequency"}),
    ADDRESS_CHANGE: frozenset({"nino", "surname", "pao", "postcode"}),
    DISPUTE: frozenset({"nino", "debt_ref", "grounds"}),
    EVIDENCE: frozenset({"debt_ref"}),
    LETTER: frozenset({"case_ref"}),
}
"""Fields that each form can't do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFormsJudge:
    """Judges documents one after the other. `synthetic`: test identities are usable."""

    synthetic: bool

    def wants(self, unit: Unit) -> Wanted:
        """See `Judge`."""
        values = unit.values
        wanted = Wanted(
            debts=frozenset(filter(None, [values["debt_ref"]])),
            cases=frozenset(filter(None, [values["case_ref"]])),
            notes=frozenset({seen_key(unit)}),
        )
        return wanted | wants_person(_nino(unit)) if self._worth(unit) is Worth.USABLE else wanted

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """See `Judge`."""
        return once(unit, book, self._judge)

    def _judge(self, unit: Unit, book: Book) -> Verdict:
        broken = next(self._broken(unit, book), None)
        if broken is not None:
            return Verdict.exception(broken)
        if unit.kind == ADDRESS_CHANGE:
            return self._change_address(unit, book)
        return _EFFECTS[unit.kind](unit, book)

    def _broken(self, unit: Unit, book: Book) -> Iterator[str]:
        """Checks that are broken, in the order of the document."""
        values, faults = unit.values, unit.faults
        if unit.kind not in MANDATORY:
            yield "UNKNOWN_FORM"
        elif not MANDATORY[unit.kind] <= set((values["given"] or "").split()):
            yield "FIELD_MISSING"
        for code, fault in _FAULTS:
            if fault in faults:
                yield code
        if values["nino"] and self._worth(unit) is Worth.MALFORMED:
            yield "NINO_FORMAT"
        if unit.kind == ADDRESS_CHANGE and postcode(values["postcode"] or "") is None:
            yield "ADDRESS_INVALID"
        named = values["debt_ref"] or values["case_ref"]
        if values["barcode"] and named and named != values["barcode"]:
            yield "BARCODE_CONFLICT"
        if unit.kind != ADDRESS_CHANGE:
            yield from self._not_theirs(unit, book)

    def _not_theirs(self, unit: Unit, book: Book) -> Iterator[str]:
        if unit.kind == LETTER:
            if book.case(unit.values["case_ref"]) is None:
                yield "DEBT_UNKNOWN"
            return
        debt = book.debt(unit.values["debt_ref"])
        if debt is None:
            yield "DEBT_UNKNOWN"
        elif unit.values["nino"] and not (self._worth(unit) is Worth.USABLE and owes(_nino(unit), debt, book)):
            yield "NOT_DEBTOR"

    def _change_address(self, unit: Unit, book: Book) -> Verdict:
        nino = _nino(unit)
        if self._worth(unit) is not Worth.USABLE or not is_debtor(nino, book):
            return Verdict.excluded("NOT_A_DEBTOR")
        if book.is_confidential(nino):
            return Verdict.exception("CONFIDENTIAL_PARTY")
        values, code, day = unit.values, postcode(unit.values["postcode"]), unit.values["effective_date"]
        address = {name: values[name] for name in ("pao", "street", "town")} | {"postcode": code}
        keep_version(ADDRESS, nino, day or values["received"], address, feed=unit.feed, book=book)
        effective = None if day is None else day.isoformat()
        return told(unit, {"kind": "ADDRESS_CHANGED", "effective_date": effective, "postcode": code}, book)

    def _worth(self, unit: Unit) -> Worth:
        return worth(_nino(unit), synthetic=self.synthetic)


_FAULTS = (
    ("LOW_CONFIDENCE", "LOW_CONFIDENCE"),
    ("TEXT_CONTROL_CHAR", "TEXT_CONTROL_CHAR"),
    ("UNKNOWN_CODE", "CODE_UNKNOWN"),
    ("MONEY_FORMAT", "MONEY_FORMAT"),
    ("DATE_INVALID", "DATE_INVALID"),
)
"""Reasons in their order, and the faults of the mapping that give them."""


def build(options: Options) -> PaperFormsJudge:
    """The judge of the feed."""
    return PaperFormsJudge(synthetic=options.synthetic_identities)


def _nino(unit: Unit) -> str:
    return compact(unit.values["nino"] or "")


def _debt(unit: Unit, book: Book) -> Debt:
    debt = book.debt(unit.values["debt_ref"])
    assert debt is not None  # DEBT_UNKNOWN was checked
    return debt


def _offer(unit: Unit, book: Book) -> Verdict:
    values = unit.values
    offer = Offer(
        day=values["received"],
        instalment_pence=values["instalment_pence"],
        frequency=values["frequency"],
        first_date=values["first_date"],
    )
    return propose(offer, _debt(unit, book), unit, book)


def _dispute(unit: Unit, book: Book) -> Verdict:
    return dispute(_debt(unit, book), unit.values["received"], unit.feed, book)


def _evidence(unit: Unit, book: Book) -> Verdict:
    """Pages that belong to a debt or case; they stay in the kept batch."""
    name = "case_ref" if unit.kind == LETTER else "debt_ref"
    canonical: dict[str, Any] = {"type": "evidence", name: unit.values[name], "pages": unit.values["page_count"]}
    kept = {**canonical, "delivery_id": unit.delivery_id, "files": (unit.values["pages"] or "").split()}
    book.keep(Note(feed=unit.feed, kind="evidence", key=unit.key, value=kept, about=unit.values[name]))
    return Verdict.loaded(canonical)


_EFFECTS: Mapping[str, Callable[[Unit, Book], Verdict]] = {
    OFFER: _offer, DISPUTE: _dispute, EVIDENCE: _evidence, LETTER: _evidence,
}  # fmt: skip
