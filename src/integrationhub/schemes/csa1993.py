"""The 1993 scheme in numbers: charges, assessments, owners and balances (csa1993.md §5).

Money is integer pence and every division truncates, as the document writes it. Periods are inclusive at both ends;
an open end is `date.max`. These are reference functions, one value at a time: whatever computes whole columns must
agree with them to the penny.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

RECEIVING_PARENT = "R"
SECRETARY_OF_STATE = "S"
MIXED = "M"
UNKNOWN = " "
"""Owners as the ledger writes them (L-OWNER, §4)."""

CHARGE, RECEIPT, ADJUSTMENT, REVERSAL = "C", "R", "A", "V"
"""Kinds of ledger lines (L-KIND, §4)."""

SUSPENSIONS: Mapping[str, int] = {"SU": 1, "SL": -1}
"""Adjustments that move the suspended part and leave the balance alone (LA-REASON, §4), with their sign on it."""

HELD_AS_CUSTODIAN = "H"
"""LR-HELD of a receipt that the Department still holds (§4)."""

LAST_SECRETARY_OF_STATE_DAY = date(2008, 10, 26)
"""The last day whose maintenance could be kept in lieu of benefit (§5.4)."""

DAYS_IN_WEEK = 7
DAYS_IN_YEAR = 365
SHARED_CARE_NIGHTS = 104  # from so many nights a year on, a child's share shrinks
MINIMUM_WEEKLY = 500
MAXIMUM_WEEKLY = 30_000


def charge(weekly: int, first: date, last: date) -> int:
    """Pence of one charge line: the weekly amount by the day, truncated once (§5.1).

    The day count includes both ends; `last` before `first` is no charge line and gives 0 or less.
    """
    days = (last - first).days + 1
    return weekly * days // DAYS_IN_WEEK


def weekly_amount(net: int, exempt: int, nights: Sequence[int]) -> int:
    """Weekly pence of a full assessment with inputs; `nights` has one entry a child, in the record's order (§5.2)."""
    assessable = max(0, net - exempt)
    if assessable == 0:
        return 0
    base = assessable * 50 // 100
    share, rest = divmod(base, len(nights))
    shares = [share + rest, *[share] * (len(nights) - 1)]
    weekly = sum(_after_shared_care(part, stayed) for part, stayed in zip(shares, nights, strict=True))
    return min(max(weekly, MINIMUM_WEEKLY), MAXIMUM_WEEKLY)


def _after_shared_care(share: int, nights: int) -> int:
    return share * (DAYS_IN_YEAR - nights) // DAYS_IN_YEAR if nights >= SHARED_CARE_NIGHTS else share


def owner_runs(first: date, last: date, benefits: Sequence[tuple[date, date]]) -> Iterator[tuple[date, date, str]]:
    """The days from `first` to `last` in runs of one owner, ascending (§5.4).

    A day belongs to the Secretary of State when it lies in a benefit period and not after 26 October 2008, else to the
    receiving parent. `benefits` are inclusive periods in any order; they may touch or overlap.
    """
    day = first
    while day <= last:
        owner = _owner_on(day, benefits)
        end = min(last, _owner_holds_until(day, benefits))
        while end < last and _owner_on(end + timedelta(1), benefits) == owner:
            end = min(last, _owner_holds_until(end + timedelta(1), benefits))
        yield day, end, owner
        if end == date.max:
            return
        day = end + timedelta(1)


def owner_of(first: date, last: date, benefits: Sequence[tuple[date, date]]) -> str | None:
    """Whose the charge of these days is, R or S; None when it straddles (§5.4)."""
    runs = list(owner_runs(first, last, benefits))
    return runs[0][2] if len(runs) == 1 else None


def _owner_on(day: date, benefits: Sequence[tuple[date, date]]) -> str:
    on_benefit = any(start <= day <= end for start, end in benefits)
    return SECRETARY_OF_STATE if on_benefit and day <= LAST_SECRETARY_OF_STATE_DAY else RECEIVING_PARENT


def _owner_holds_until(day: date, benefits: Sequence[tuple[date, date]]) -> date:
    """A day up to which the owner of `day` can't change: the nearest edge of a benefit period or of the rule."""
    edges = [end for start, end in benefits if start <= day <= end]
    edges += [start - timedelta(1) for start, _ in benefits if start > day]
    if day <= LAST_SECRETARY_OF_STATE_DAY:
        edges.append(LAST_SECRETARY_OF_STATE_DAY)
    return min(edges, default=date.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a balance needs to know of a ledger line; `pence` is L-AMOUNT as stored (receipts positive).

    `reason` is LA-REASON of an adjustment, `held` LR-HELD of a receipt, `reverses` LV-OF-SEQ of a reversal.
    """

    seq: int
    kind: str
    owner: str
    pence: int
    reason: str = ""
    held: str = ""
    reverses: int | None = None


@dataclass(slots=True, kw_only=True)
class Balances:
    """Pence a case comes to: outstanding and suspended by owner (L-OWNER codes), custodian cash over all owners."""

    outstanding: dict[str, int] = field(default_factory=dict)
    suspended: dict[str, int] = field(default_factory=dict)
    custodian: int = 0

    @property
    def rp(self) -> int:
        """What C-BAL-RP must say."""
        return self.outstanding.get(RECEIVING_PARENT, 0)

    @property
    def sos(self) -> int:
        """What C-BAL-SOS must say."""
        return self.outstanding.get(SECRETARY_OF_STATE, 0)

    @property
    def unk(self) -> int:
        """What C-BAL-UNK must say: charges with owner mixed or not known."""
        return self.outstanding.get(UNKNOWN, 0) + self.outstanding.get(MIXED, 0)

    @property
    def susp_rp(self) -> int:
        """What C-SUSP-RP must say."""
        return self.suspended.get(RECEIVING_PARENT, 0)

    @property
    def susp_sos(self) -> int:
        """What C-SUSP-SOS must say."""
        return self.suspended.get(SECRETARY_OF_STATE, 0)


def effect(line: Line) -> int:
    """Signed pence by which a line other than a reversal moves its owner's outstanding balance (§4)."""
    if line.kind == RECEIPT:
        return -line.pence
    if line.kind == ADJUSTMENT and line.reason in SUSPENSIONS:
        return 0
    return line.pence


def balances(lines: Sequence[Line]) -> Balances:
    """Sums of a case's ledger by owner (§5.3). Every line counts, whatever its date and wherever it stands.

    A reversal takes back its target's effect on the target's owner; one whose target isn't there moves nothing.
    """
    by_seq = {line.seq: line for line in lines if line.kind != REVERSAL}
    targets = [line.reverses for line in lines if line.kind == REVERSAL]
    total = Balances()
    for line in by_seq.values():
        _add(total.outstanding, line.owner, effect(line))
        _add(total.suspended, line.owner, SUSPENSIONS.get(line.reason, 0) * line.pence)
        if line.held == HELD_AS_CUSTODIAN and line.seq not in targets:
            total.custodian += line.pence
    for reversed_line in (by_seq[seq] for seq in targets if seq is not None and seq in by_seq):
        _add(total.outstanding, reversed_line.owner, -effect(reversed_line))
    return total


def _add(sums: dict[str, int], owner: str, pence: int) -> None:
    if pence:
        sums[owner] = sums.get(owner, 0) + pence
