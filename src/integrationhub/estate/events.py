"""Change events of the 2003 book (csa2003.md §5): what happens to a case behind an extract, and what is true then.

The changes of a case follow from the seed, the night and the case; the next night's extract contains them, so that
applying the events and taking the later extract come to the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from integrationhub.estate.book import Adjustment, Case, Charge, Line, Receipt, Reversal
from integrationhub.estate.csa2003_ids import assessment_row, event_row, party_row, role_row
from integrationhub.estate.csa2003_records import REASONS, element, iso, line_row, money, schedules, stored, until
from integrationhub.estate.dice import Dice
from integrationhub.estate.rules import DAY, OPEN, SCHEME_2003
from integrationhub.estate.scene import BANK, RECEIPTS, WHOLE, charges, may_err, plain_receipts
from integrationhub.estate.sound import rated

SHARE = 0.3  # of the 2003 cases that something happens to
LONGEST_CHARGE = 30
DISBURSED = {"H": "HELD", "P": "PAID", "K": "KEPT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change with its number: `content` is the child element of its event, `line` what it adds to the ledger."""

    sequence: int
    kind: str
    occurred: datetime
    content: str
    line: Line | None = None


@dataclass(slots=True, kw_only=True)
class History2003:
    """What happens to one case behind an extract."""

    case: Case
    changes: list[Change] = field(default_factory=list)

    def merge(self) -> None:
        """Take the changes into the case, as the next extract has them."""
        case = self.case
        for change in self.changes:
            case.last_event = change.sequence
            if change.line:
                for ledger in case.ledgers():
                    ledger.append(change.line)
            if isinstance(change.line, Charge):
                case.last_charged = change.line.last

    def accepted_after(self, sequence: int) -> Case:
        """The case with the changes up to a number in the ledger that is to be accepted."""
        lines = [change.line for change in self.changes if change.line and change.sequence <= sequence]
        return replace(self.case, accepted=[*self.case.accepted, *lines])


def history_of(seed: int, night: int, case: Case, as_at: date) -> History2003 | None:
    """What happens to a case between the extract of this night and the next one; None for most cases.

    Nothing happens to duplicates and their originals: the documents don't say what an event of theirs would mean.
    """
    dice = Dice(seed, "events", night, case.number)
    if case.rules is not SCHEME_2003 or not may_err(case) or WHOLE in case.areas or not dice.chance(SHARE):
        return None
    found = _Happenings(case, as_at, dice)
    return History2003(case=case, changes=[found.next() for _ in range(dice.between(1, 6))])


class _Happenings:
    """Makes up the changes of one case, in the order of their numbers."""

    def __init__(self, case: Case, as_at: date, dice: Dice) -> None:
        self._case = case
        self._as_at = as_at
        self._dice = dice
        self._sequence = case.last_event
        self._charged = case.last_charged
        self._moment = datetime.combine(as_at + DAY, time(6), tzinfo=UTC)
        untouched = case.areas.isdisjoint({RECEIPTS, BANK})
        self._reversible = [line for line in plain_receipts(case) if untouched and line.owner in {"R", "S"}]
        self._owners = {"RECEIVING_PARENT": "R", "SECRETARY_OF_STATE": "S"}
        self._schedules = [schedule for schedule in schedules(case) if schedule.owner in self._owners]

    def next(self) -> Change:
        """The next change."""
        self._sequence += 1
        self._moment += timedelta(minutes=self._dice.between(1, 1_500))
        ways: tuple[tuple[Callable[[], Change | None], float], ...] = (
            (self._receipt, 5), (self._charge, 3), (self._reversal, 1.5), (self._adjustment, 2), (self._address, 0.7),
            (self._relationship, 0.5), (self._status, 0.7),
        )  # fmt: skip
        return self._dice.weigh(ways)() or self._status()

    def _change(self, kind: str, content: str, line: Line | None = None) -> Change:
        return Change(sequence=self._sequence, kind=kind, occurred=self._moment, content=content, line=line)

    def _where(self) -> tuple[str, str]:
        """Row of a schedule, and its owner."""
        schedule = self._dice.pick(self._schedules)
        return schedule.row, self._owners[schedule.owner]

    def _receipt(self) -> Change:
        dice, case = self._dice, self._case
        row, owner = self._where()
        line = Receipt(
            owner=owner, posted=self._moment.date(), pence=dice.between(1, 20_000), event=self._sequence,
            bank_ref=f"EV{(case.number * 1_000 + self._sequence) % 10**10:010d}", bank_status=" ", method="SO",
            value_date=self._as_at + timedelta(dice.between(-20, 14)), payer=case.roles[0].person.party_id,
            quoted=dice.pick(("", case.rules.quote(case.ref), case.rules.quote(case.ref, owner))),
            held=dice.pick(("H", "P")) if owner == "R" else "K",
        )  # fmt: skip
        self._reversible.append(line)
        return self._change("receipt.posted", element("Receipt", {
            "id": event_row(case, self._sequence), "scheduleRef": row, "amount": money(stored(line)),
            "bankReference": line.bank_ref, "valueDate": iso(line.value_date), "quotedReference": line.quoted or None,
            "method": line.method, "disbursement": DISBURSED[line.held],
        }).rstrip(), line)  # fmt: skip

    def _charge(self) -> Change | None:
        """The next days by the row in force; only in a case with nothing wrong in it."""
        case = self._case
        last_row = case.rows[-1] if case.rows else None
        first = self._charged + DAY
        runs = not case.areas and last_row and last_row.last == OPEN and last_row.rate and charges(case.sent)
        if not last_row or not runs or last_row.first > first:
            return None
        last = min(first + timedelta(self._dice.between(0, LONGEST_CHARGE)), case.liability_end)
        if last < first:
            return None
        number = len(case.rows)
        line = replace(
            rated(case.rules, first=first, last=last, owner="R", rate=last_row.rate, row=number),
            posted=self._moment.date(), event=self._sequence,
        )  # fmt: skip
        self._charged = last
        return self._change("charge.raised", element("Charge", {
            "id": event_row(case, self._sequence), "scheduleRef": self._schedules[0].row, "from": iso(first),
            "to": until(last), "assessmentRef": assessment_row(case, number), "monthly": money(line.rate),
            "amount": money(line.pence),
        }).rstrip(), line)  # fmt: skip

    def _reversal(self) -> Change | None:
        """A receipt of the extract, or of an event before, is taken back."""
        if not self._reversible:
            return None
        case = self._case
        receipt = self._reversible.pop(self._dice.below(len(self._reversible)))
        line = Reversal(
            owner=receipt.owner, posted=self._moment.date(), pence=receipt.pence, of=receipt, event=self._sequence,
            reason=self._dice.pick(("BD", "DU", "ER")),
        )  # fmt: skip
        number = next((place for place, sent in enumerate(case.sent, 1) if sent is receipt), 0)
        return self._change("receipt.reversed", element("ReceiptReversed", {
            "id": event_row(case, self._sequence), "reverses": line_row(case, number, receipt),
            "amount": money(stored(line)), "reason": line.reason,
        }).rstrip(), line)  # fmt: skip

    def _adjustment(self) -> Change:
        dice, case = self._dice, self._case
        reason = dice.pick(("DR", "CR", "WO", "TR", "SU"))
        pence = dice.between(1, 9_000) * (-1 if reason in {"CR", "WO"} else 1)
        row, owner = self._where()
        line = Adjustment(
            owner=owner, posted=self._moment.date(), pence=pence, reason=reason, effective=self._as_at,
            authority="AUTH10", text="", event=self._sequence,
        )  # fmt: skip
        return self._change("adjustment.posted", element("Adjustment", {
            "id": event_row(case, self._sequence), "scheduleRef": row, "amount": money(pence),
            "reason": REASONS[reason], "effective": iso(line.effective),
        }).rstrip(), line)  # fmt: skip

    def _address(self) -> Change:
        person = self._dice.pick(self._case.roles).person
        said = {"partyRef": party_row(person.party_id), "confidential": "false", "postcode": "ZZ1 1ZZ"}
        return self._change("address.changed", element("Address", said, "<Line>1 Invented Row</Line>").rstrip())

    def _relationship(self) -> Change:
        place = self._dice.below(len(self._case.roles))
        said = {"relationshipRef": role_row(self._case, place), "to": iso(self._as_at + timedelta(30))}
        return self._change("relationship.changed", element("RelationshipChange", said).rstrip())

    def _status(self) -> Change:
        return self._change("status.changed", element("Status", {"status": "LIVE"}).rstrip())


def histories(seed: int, night: int, cases: list[Case], as_at: date) -> Iterator[History2003]:
    """What happens to any of these cases."""
    for case in cases:
        found = history_of(seed, night, case, as_at)
        if found:
            yield found
