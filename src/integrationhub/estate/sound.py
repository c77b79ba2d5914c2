"""One sound case: a life of assessments, charges, receipts and adjustments in which everything agrees.

Whatever is written here must give no finding of arrears-errors.md but flags; errors are put in afterwards (errors*.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TypedDict

from integrationhub.estate.book import (
    Adjustment,
    AssessmentRow,
    Benefit,
    Case,
    Charge,
    History,
    Line,
    Receipt,
    Reversal,
    Role,
    figures,
)
from integrationhub.estate.dice import Dice
from integrationhub.estate.edges import beginnings, silences
from integrationhub.estate.persons import Person
from integrationhub.estate.rules import DAY, OPEN, SCHEME_1993, ZEROS, Inputs, MonthlyInputs, Rules, near, owner_runs

ARCHIVABLE = 3  # so many charges a ledger has before its beginning is archived
CHILDREN_IN_ROW = 4  # so many children an assessment row of 1993 has room for
EMPLOYERS = 40  # who pay for many parents by one bank line (deduction from earnings)

NOTES = (
    "", "", "", "Synthetic note", "Agreed £20.00 a week by telephone", "Café interview: résumé of income seen",
    "NRP asks for a statement; £/€ figures explained", "Déjà vu: file copy requested (naïve test text)",
    '=HYPERLINK("no") is text, not a formula',
    "Eighty characters, the most that a note can hold, are filled to the last of all.",
)  # fmt: skip
ROW_KINDS = (("inputs", 0.53), ("plain", 0.21), ("I", 0.12), ("N", 0.07), ("X", 0.07))
LAST_ROW_KINDS = (("inputs", 0.46), ("plain", 0.20), ("I", 0.12), ("N", 0.16), ("X", 0.06))
NET_WEEKLY_EDGES = (500, 10_000, 20_000, 200_000)  # where the 2003 formula changes (csa2003.md §4)
METHODS = ("SO", "DD", "CH", "CA", "DE")
CONTACTS = ("TEL", "LET", "MTG", "NOC")
ENFORCEMENTS = ("DEO", "LOR", "DDO", "CHG")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays which part in a case."""

    nrp: Person
    pwc: Person
    children: tuple[Person, ...]
    partner: Person | None = None
    representative: Person | None = None


@dataclass(slots=True, kw_only=True)
class Bank:
    """Bank references of one case group: each is used once, an employer's bulk reference once in the group."""

    seed: int
    index: int
    used: int = 0
    employers: set[int] = field(default_factory=set)

    def reference(self) -> str:
        """The next reference, like no other in the estate."""
        self.used += 1
        return f"BK{(self.index * 1_000 + self.used) % 10**10:010d}"

    def bulk(self, dice: Dice) -> tuple[str, date, int] | None:
        """Reference, date and amount of an employer's line; None when the group has that employer already."""
        employer = dice.below(EMPLOYERS)
        if employer in self.employers:
            return None
        self.employers.add(employer)
        line = Dice(self.seed, "employer", employer)
        return f"DEOBULK{employer:05d}", line.day(date(2000, 1, 1), date(2014, 12, 1)), line.between(2_000, 120_000)


class _Of2003(TypedDict):
    split: bool
    last_event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    effective: date
    liability_end: date
    last_charged: date

    def ended(self, as_at: date) -> bool:
        return self.liability_end < as_at


class CaseMaker:
    """Makes the cases of one case group by one scheme's rules, as at one day."""

    def __init__(self, dice: Dice, bank: Bank, as_at: date, rules: Rules) -> None:
        self._dice = dice
        self._rules = rules
        self._bank = bank
        self._as_at = as_at

    def effective_date(self) -> date:
        """A day on which a case may begin; most began before the scheme was closed to new ones."""
        latest = self._as_at - timedelta(400)
        rules = self._rules
        edges = beginnings(self._as_at, rules.starts, latest)
        if edges and self._dice.chance(0.04):
            return self._dice.pick(edges)
        return self._dice.day(rules.starts, latest if self._dice.chance(0.12) else min(rules.ends, latest))

    def make(self, ref: str, number: int, cast: Cast, effective: date) -> Case:
        """A sound case under `ref` that began on `effective`."""
        dice = self._dice
        span = self._span(effective)
        rows = self._rows(span, cast.children)
        benefits = self._benefits(span)
        off_system = dice.chance(0.015)
        lines, complete = self._ledger(ref, cast, span, rows, benefits=benefits, off_system=off_system)
        known = dice.chance(0.93)
        return Case(
            ref=ref, number=number, rules=self._rules, effective=span.effective,
            status="X" if off_system else self._status(span, lines),
            liability_end=span.liability_end, last_charged=span.last_charged, ledger_complete=complete,
            benefit_known=known, queried=dice.chance(0.02), benefits=benefits if known else [],
            note=dice.pick(NOTES), roles=list(self._roles(cast, span)), rows=rows, right_rows=rows,
            sent=list(lines), accepted=list(lines), real=list(lines), history=list(self._history(cast)),
            **self._of_2003(),
        )  # fmt: skip

    def _of_2003(self) -> "_Of2003":
        """What only the 2003 book has of a case."""
        if self._rules is SCHEME_1993:
            return {"split": False, "last_event": 0}
        return {"split": self._dice.chance(0.1), "last_event": self._dice.pick((0, 0, 1, 5, 12))}

    def _span(self, effective: date) -> _Span:
        dice, as_at = self._dice, self._as_at
        if dice.chance(0.34):
            end = as_at - DAY if dice.chance(0.03) else dice.day(effective + timedelta(200), as_at - DAY)
            return _Span(effective=effective, liability_end=end, last_charged=end)
        soon = as_at + timedelta(dice.pick((0, 1, dice.between(0, 200))))
        last = as_at - timedelta(dice.between(1, 25))
        return _Span(effective=effective, liability_end=soon if dice.chance(0.03) else OPEN, last_charged=last)

    def _status(self, span: _Span, lines: list[Line]) -> str:
        """What the officers would have set; it may lag behind the dates."""
        if not span.ended(self._as_at) or self._dice.chance(0.05):
            return "L"
        total = figures(lines)
        return "A" if total.rp + total.sos > 0 else "C"

    def _rows(self, span: _Span, children: tuple[Person, ...]) -> list[AssessmentRow]:
        dice = self._dice
        room = (span.last_charged - span.effective).days
        wanted = dice.weigh(((1, 0.45), (2, 0.13), (3, 0.15), (4, 0.15), (5, 0.1), (6, 0.02)))
        offsets = sorted({0, *(dice.between(40, max(40, room - 20)) for _ in range(wanted - 1))})
        offsets = [days for days in offsets if days < room]
        starts = [span.effective + timedelta(days) for days in offsets]
        ends = [start - DAY for start in starts[1:]]
        ends.append(span.liability_end if span.ended(self._as_at) and dice.chance(0.3) else OPEN)
        return [
            self._row(start, end, children, last=place == len(starts))
            for place, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
        ]

    def _row(self, first: date, last_day: date, children: tuple[Person, ...], *, last: bool) -> AssessmentRow:
        dice = self._dice
        kind = dice.weigh(LAST_ROW_KINDS if last else ROW_KINDS)
        if kind == "inputs":
            inputs = self._inputs(children)
            return AssessmentRow(first=first, last=last_day, kind="F", rate=inputs.rate(), inputs=inputs)
        rate = 0 if kind in "NX" else dice.between(*self._rules.rates)
        return AssessmentRow(first=first, last=last_day, kind="F" if kind == "plain" else kind, rate=rate)

    def _inputs(self, children: tuple[Person, ...]) -> Inputs | MonthlyInputs:
        """Inputs of the formula; at and about its edges oftener than life has them."""
        dice = self._dice
        if self._rules is not SCHEME_1993:
            return self._monthly_inputs(len(children))
        exempt = dice.between(5_000, 15_000)
        net = exempt + dice.weigh(
            ((dice.between(2_000, 30_000), 0.85), (dice.between(-2_000, 1_100), 0.1), (70_000, 0.05))
        )
        nights = tuple(
            (child.party_id, dice.pick((0, 0, 30, 60, 103, 104, 130, 182, dice.between(0, 365))))
            for child in children[:CHILDREN_IN_ROW]
        )
        return Inputs(net, exempt, nights)

    def _monthly_inputs(self, children: int) -> MonthlyInputs:
        dice = self._dice
        edge = near(dice.pick(NET_WEEKLY_EDGES) * 13, 3) + dice.between(-5, 5)
        net = dice.weigh(((dice.between(40_000, 300_000), 0.75), (dice.between(0, 90_000), 0.1), (edge, 0.15)))
        nights = dice.pick((0, 0, 30, 51, 52, 103, 104, 155, 156, 174, 175, dice.between(0, 365)))
        return MonthlyInputs(net, dice.pick((children, children, children, 1, 2, 3, 7)), nights)

    def _benefits(self, span: _Span) -> list[Benefit]:
        dice = self._dice
        if not dice.chance(0.38):
            return []
        count = dice.weigh(((1, 0.74), (2, 0.18), (3, 0.04), (6, 0.04)))
        days = sorted(dice.day(span.effective - timedelta(60), span.last_charged) for _ in range(2 * count))
        periods = list(zip(days[::2], days[1::2], strict=True))
        apart = [pair for place, pair in enumerate(periods) if place == 0 or periods[place - 1][1] < pair[0]]
        benefits = [Benefit(first, last, dice.pick(("IS ", "JSA", "ESA"))) for first, last in apart]
        if dice.chance(0.1):
            benefits[-1] = benefits[-1]._replace(last=OPEN)
        return benefits

    def _ledger(
        self, ref: str, cast: Cast, span: _Span, rows: list[AssessmentRow], *, benefits: list[Benefit], off_system: bool
    ) -> tuple[list[Line], bool]:
        """The ledger, and whether it is complete."""
        charges = list(self._charges(span, rows, benefits))
        receipts = self._receipts(ref, cast, span, rows, charges)
        if off_system:
            receipts = [replace(receipt, held="P") if receipt.held == "H" else receipt for receipt in receipts]
        lines: list[Line] = [*charges, *receipts, *self._adjustments(charges)]
        lines += self._reversals(lines)
        lines.sort(key=lambda line: line.posted)
        complete = off_system or len(charges) < ARCHIVABLE or self._dice.chance(0.83)
        if not complete:
            lines = self._archived(lines, charges)
        lines += self._moved_off(lines) if off_system else self._suspensions(lines)
        lines.sort(key=lambda line: line.posted)
        return lines, complete

    def _charges(self, span: _Span, rows: list[AssessmentRow], benefits: list[Benefit]) -> Iterator[Charge]:
        periods = [(benefit.first, benefit.last) for benefit in benefits]
        for number, row in enumerate(rows, 1):
            last = min(row.last, span.last_charged)
            if row.rate == 0 or last < row.first:
                continue
            for start, end, owner in owner_runs(row.first, last, periods):
                yield from self._bills(start, end, owner, row.rate, number)

    def _bills(self, start: date, end: date, owner: str, rate: int, row: int) -> Iterator[Charge]:
        while start <= end:
            last = min(end, start + timedelta(self._dice.between(90, 720)))
            yield rated(self._rules, first=start, last=last, owner=owner, rate=rate, row=row)
            start = last + DAY

    def _receipts(
        self, ref: str, cast: Cast, span: _Span, rows: list[AssessmentRow], charges: list[Charge]
    ) -> list[Receipt]:
        if not charges:
            return []
        dice = self._dice
        owners = [charge.owner for charge in charges]
        count = 0 if dice.chance(0.13) else dice.between(1, 9)
        typical = max(500, sum(charge.pence for charge in charges) // max(count, 4))
        quiet_since = self._as_at - timedelta(dice.pick((91, 92, 120, 200)))
        earliest = min(span.effective + timedelta(40), quiet_since)
        days = [dice.day(earliest, quiet_since) for _ in range(count)]
        receipts = [
            self._receipt(ref, cast, dice.pick(owners), day, typical * dice.between(30, 115) // 100) for day in days
        ]
        if days and quiet_since > silences(self._as_at)[1] and dice.chance(0.15):
            receipts.append(self._receipt(ref, cast, dice.pick(owners), dice.pick(silences(self._as_at)), typical))
        weekly = self._rules.weekly(rows[-1].rate)
        if weekly and rows[-1].first <= self._as_at and not span.ended(self._as_at):
            receipts += self._recent_receipts(ref, cast, weekly, owners)
        return receipts

    def _recent_receipts(self, ref: str, cast: Cast, weekly: int, owners: list[str]) -> list[Receipt]:
        """Receipts of the last 90 days: none, some, or thirteen weeks' worth and more."""
        dice = self._dice
        behaviour = dice.weigh((("none", 0.7), ("some", 0.1), ("full", 0.2)))
        if behaviour == "none":
            return []
        due = 13 * weekly
        total = due + dice.pick((0, 1, weekly)) if behaviour == "full" else due - dice.pick((1, weekly, due - 1))
        parts = min(total, dice.between(1, 3))
        days = [self._as_at - timedelta(dice.pick((0, 1, 30, 60, 89, 90))) for _ in range(parts)]
        sums = [total // parts] * (parts - 1) + [total - total // parts * (parts - 1)]
        return [self._receipt(ref, cast, dice.pick(owners), day, pence) for day, pence in zip(days, sums, strict=True)]

    def _receipt(self, ref: str, cast: Cast, owner: str, value_date: date, pence: int) -> Receipt:
        dice = self._dice
        method = dice.pick(METHODS)
        bulk = self._bank.bulk(dice) if method == "DE" and dice.chance(0.3) else None
        quiet = self._as_at - timedelta(91)
        if bulk and self._rules.starts < bulk[1] <= min(quiet, value_date):
            bank_ref, value_date, pence = bulk
        else:
            bank_ref = self._bank.reference()
        held = dice.weigh((("P", 0.85), ("H", 0.15)) if owner == "R" else (("K", 0.9), ("H", 0.1)))
        return Receipt(
            owner=owner, posted=min(self._as_at, value_date + timedelta(dice.between(0, 4))), pence=max(1, pence),
            bank_ref=bank_ref, value_date=value_date, payer=cast.nrp.party_id, method=method, held=held,
            quoted=dice.weigh((("", 0.25), (self._rules.quote(ref), 0.45), (self._rules.quote(ref, owner), 0.3))),
            bank_status=" " if value_date < self._rules.bank_link else "C",
        )  # fmt: skip

    def _adjustments(self, charges: list[Charge]) -> Iterator[Adjustment]:
        dice = self._dice
        for reason in ("DR", "CR", "WO", "TR"):
            if charges and dice.chance(0.06):
                pence = dice.between(100, 40_000)
                negative = reason in {"CR", "WO"} or (reason == "TR" and dice.chance(0.5))
                about = dice.pick(charges)
                yield self._adjustment(about.owner, about.posted, -pence if negative else pence, reason)

    def _adjustment(self, owner: str, day: date, pence: int, reason: str) -> Adjustment:
        text = self._dice.pick(("made for a test", "Réglé, see file", "by letter £", ""))
        return Adjustment(
            owner=owner, posted=day, pence=pence, reason=reason, effective=day, text=text,
            authority=f"AUTH{self._dice.between(1, 40):02d}",
        )  # fmt: skip

    def _reversals(self, lines: list[Line]) -> list[Line]:
        """Receipts that bounced or came twice and adjustments taken back, each with its reversal; look-alikes."""
        dice = self._dice
        receipts = [line for line in lines if isinstance(line, Receipt)]
        adjustments = [line for line in lines if isinstance(line, Adjustment)]
        added: list[Line] = []
        if receipts and dice.chance(0.09):
            added += self._bounced(dice.pick(receipts), lines)
        if receipts and dice.chance(0.03):
            twice = replace(dice.pick(receipts))
            added += [twice, self.reversal(twice, "DU")]
        if receipts and dice.chance(0.02):
            added.append(self._look_alike(dice.pick(receipts)))
        if adjustments and dice.chance(0.1):
            added.append(self.reversal(dice.pick(adjustments), "ER"))
        return added

    def _look_alike(self, receipt: Receipt) -> Receipt:
        """Another receipt under the same bank reference, with its own amount or value date: no duplicate (E13)."""
        if self._dice.chance(0.5):
            return replace(receipt, pence=receipt.pence + 1)
        return replace(receipt, value_date=receipt.value_date - DAY)

    def _bounced(self, receipt: Receipt, lines: list[Line]) -> list[Line]:
        bounced = replace(receipt, bank_status="D")
        lines[next(place for place, line in enumerate(lines) if line is receipt)] = bounced
        return [self.reversal(bounced, "BD")]

    def reversal(self, line: Receipt | Adjustment, reason: str) -> Reversal:
        """The reversal of a line, some days later."""
        day = min(self._as_at, line.posted + timedelta(self._dice.between(1, 20)))
        return Reversal(owner=line.owner, posted=day, pence=line.pence, of=line, reason=reason)

    def _archived(self, lines: list[Line], charges: list[Charge]) -> list[Line]:
        """The ledger without what was posted up to the end of one charge, an opening balance in its place."""
        cutoff = self._dice.pick(charges[:-1]).last
        gone = {id(line) for line in lines if line.posted <= cutoff}
        gone |= {id(line) for line in lines if isinstance(line, Reversal) and id(line.of) in gone}
        old = [line for line in lines if id(line) in gone]
        total = figures(old)
        openings: list[Line] = [
            self._adjustment(owner, cutoff, pence, "OB")
            for owner, pence in (("R", total.rp), ("S", total.sos))
            if any(line.owner == owner for line in old)
        ]
        return openings + [line for line in lines if id(line) not in gone]

    def _suspensions(self, lines: list[Line]) -> list[Line]:
        dice = self._dice
        if not lines or not dice.chance(0.05):
            return []
        last = max(line.posted for line in lines)
        day = dice.day(min(last, self._as_at), self._as_at)
        owner = dice.pick(lines).owner
        pence = dice.between(1_000, 60_000)
        added: list[Line] = [self._adjustment(owner, day, pence, "SU")]
        if dice.chance(0.4):
            added.append(self._adjustment(owner, day, pence - dice.pick((0, 500)), "SL"))
        return added

    def _moved_off(self, lines: list[Line]) -> list[Line]:
        """Transfers that bring a case moved off the system to zero."""
        total = figures(lines)
        return [
            self._adjustment(owner, self._as_at - timedelta(1), -pence, "TR")
            for owner, pence in (("R", total.rp), ("S", total.sos))
            if pence
        ]

    def _roles(self, cast: Cast, span: _Span) -> Iterator[Role]:
        dice = self._dice
        end = span.liability_end
        started = ZEROS if dice.chance(0.05) else span.effective
        yield _role(cast.nrp, "NRP", started, end)
        yield _role(cast.pwc, "PWC", started, end, payee=True)
        for place, child in enumerate(cast.children):
            grown_up = end == OPEN and place > 0 and dice.chance(0.1)
            yield _role(child, "QCH", started, dice.day(span.effective, self._as_at) if grown_up else end)
        if cast.partner:
            yield _role(cast.partner, "PTN", started, OPEN)
        if cast.representative:
            yield _role(cast.representative, "REP", started, OPEN)

    def _history(self, cast: Cast) -> Iterator[History]:
        dice = self._dice
        if dice.chance(0.06):
            first = dice.day(date(2005, 1, 1), self._as_at - timedelta(10))
            last = dice.pick((OPEN, OPEN, self._as_at, self._as_at - DAY, self._as_at + timedelta(dice.below(60))))
            outcome = dice.weigh((("S", 0.8), ("W", 0.1), ("F", 0.1)))
            kind = dice.pick(ENFORCEMENTS)
            yield History(kind="E", code=kind, first=first, last=last, outcome=outcome, party=cast.nrp.party_id)
        if dice.chance(0.35):
            yield self.contact(cast.pwc if dice.chance(0.1) else cast.nrp)

    def contact(self, person: Person) -> History:
        """A contact, recent or old, successful or not."""
        dice = self._dice
        recent = timedelta(dice.pick((1, 20, 90, 150, 170)))
        old = timedelta(dice.between(220, 2_500))
        day = self._as_at - (recent if dice.chance(0.6) else old)
        outcome = "S" if dice.chance(0.75) else "F"
        return History(
            kind="C", code=dice.pick(CONTACTS), first=day, last=ZEROS, outcome=outcome, party=person.party_id
        )


def rated(rules: Rules, *, first: date, last: date, owner: str, rate: int, row: int) -> Charge:
    """A charge with the amount of its own days, posted on its last day."""
    pence = rules.charge(rate, first, last)
    return Charge(owner=owner, posted=last, pence=pence, first=first, last=last, rate=rate, row=row)


def _role(person: Person, kind: str, first: date, last: date, *, payee: bool = False) -> Role:
    return Role(person=person, kind=kind, first=first, last=last, born=person.born, payee=payee)
