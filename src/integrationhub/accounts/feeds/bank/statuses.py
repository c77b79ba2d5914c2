"""What the bank says of payments that were ordered: kept once, and no money moves (payments.md §5)."""

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note
from integrationhub.accounts.feeds.bank.statements import FEED
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict

KIND = "payment-status"
REJECTED = "RJCT"
GOOD = frozenset({"ACCP", "ACSP", "ACSC", "ACTC", "ACWC", "PDNG"})


class Statuses:
    """Judges the form `payment_statuses`."""

    def wants(self, unit: Unit) -> Wanted:
        """Whether it was said before."""
        return Wanted(notes=frozenset({(FEED, KIND, _key(unit))}))

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """A known status is kept once."""
        status = unit.values["status"]
        if status != REJECTED and status not in GOOD:
            return Verdict.exception("UNKNOWN_CODE")
        if book.note(FEED, KIND, _key(unit)) is not None:
            return Verdict.duplicate()
        canonical = {
            "type": "status",
            "end_to_end_id": unit.values["end_to_end_id"],
            "status": "REJECTED" if status == REJECTED else status,
        }
        if status == REJECTED:
            canonical["reason"] = unit.values["status_reason"]
        book.keep(Note(feed=FEED, kind=KIND, key=_key(unit), value=canonical))
        return Verdict.loaded(canonical)


def _key(unit: Unit) -> str:
    values = unit.values
    return "|".join((values["message"], values["end_to_end_id"] or "", values["status"] or ""))
