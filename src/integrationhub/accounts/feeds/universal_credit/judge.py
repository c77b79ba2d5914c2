"""Judges messages by the checks of universal-credit.md §7 that stand behind decryption, in the document's order."""

from dataclasses import dataclass

from integrationhub.accounts.book import Book
from integrationhub.accounts.feeds.universal_credit import debts, deductions
from integrationhub.accounts.feeds.universal_credit.checks import DEBTS, EXCEPTIONS
from integrationhub.accounts.feeds.universal_credit.message import DELETE, FEED, Held, Message, remember
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class UniversalCreditJudge:
    """A Judge. `synthetic`: test identities are usable."""

    synthetic: bool

    def wants(self, unit: Unit) -> Wanted:
        """What is remembered of the record, and the debts that it names."""
        rows = (*unit.values["uc_debts"], *unit.values["uc_deductions"])
        named = {row[name] for row in rows for name in ("ref", "debt_manager_ref") if row.get(name)}
        return Wanted(debts=frozenset(named), notes=frozenset({(FEED, unit.kind, unit.values["id"] or "")}))

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """See `Judge`."""
        message = Message.of(unit, synthetic=self.synthetic)
        if message.trouble == "COLLECTION_NOT_TAKEN":
            return Verdict.excluded("COLLECTION_NOT_TAKEN")
        if message.trouble == "ID_MISSING":
            return Verdict.exception("ID_MISSING")
        held = Held.of(message, book)
        settled = None if held is None else _by_version(message, held)
        if settled is not None:
            return settled
        if message.effect == DELETE:
            return _delete(message, held, book)
        for reason, fails in EXCEPTIONS:
            if fails(message):
                return Verdict.exception(reason)
        return _upsert(message, held, book)


def _by_version(message: Message, held: Held) -> Verdict | None:
    """The verdict where versions alone tell (§4)."""
    if message.version > held.version:
        return None
    if message.version < held.version:
        return Verdict.duplicate("STALE_VERSION")
    return Verdict.duplicate() if message.content == held.content else Verdict.exception("VERSION_CONFLICT")


def _delete(message: Message, held: Held | None, book: Book) -> Verdict:
    flags = (*message.flags, "TOMBSTONE") if held is None else message.flags
    if message.collection in DEBTS:
        return debts.remove(message, held, book, flags)
    if message.collection == "deduction":
        return deductions.remove(message, held, book, flags)
    remember(message, book)
    return Verdict.loaded(None, *flags)


def _upsert(message: Message, held: Held | None, book: Book) -> Verdict:
    flags = (*message.flags, "REVIVED") if held is not None and held.is_gone else message.flags
    if message.collection in DEBTS:
        return debts.load(message, held, book, flags)
    if message.collection == "deduction":
        return deductions.load(message, held, book, flags)
    return _evidence(message, book, flags)


def _evidence(message: Message, book: Book, flags: tuple[str, ...]) -> Verdict:
    """Statements are kept, and change no ledger."""
    said = message.said
    figures = {name: said[name] for name in ("deductions_pence", "advances_pence", "payment_pence")}
    period = {name: None if said[name] is None else said[name].isoformat() for name in ("period_start", "period_end")}
    people = [{name: person[name] for name in ("citizen_id", "contract_id")} for person in message.people]
    remember(message, book, **figures, **period, people=people)
    return Verdict.loaded({"type": "statement_evidence", **figures}, *flags)
