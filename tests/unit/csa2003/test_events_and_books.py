"""For sound events, applying them comes to what a later book comes to that has their transactions in its ledger."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.receive.folder import find_files
from integrationhub.schemes.csa2003 import charge
from tests.unit.csa2003.extracts import document, pack
from tests.unit.csa2003.test_events import event, taken

CASE = "QQ123456A/01"
MONTHLY = 10_000
BEGIN = date(2014, 1, 1)
OWNERS = {"RECEIVING_PARENT": "1-SR", "SECRETARY_OF_STATE": "1-SS"}
SUSPENSIONS = {"SUSPEND": 1, "UNSUSPEND": -1}
PEOPLE = (
    '<Party id="1-P1" nino="QQ123456A" surname="Payer" sex="M"/><Party id="1-P2" surname="Carer" sex="F"/>'
)  # fmt: skip
ROLES = "".join(
    f'<Relationship id="1-R{number}" caseRef="{CASE}" partyRef="1-P{number}" role="{role}" from="2014-01-01" '
    f'payee="{str(role == "PWC").lower()}"/>'
    for number, role in ((1, "NRP"), (2, "PWC"))
)
Happening = tuple[str, str, str]  # kind of event, its child element, the transaction that a book has for it


def money(pence: int) -> str:
    return f"{'-' if pence < 0 else ''}{abs(pence) // 100}.{abs(pence) % 100:02}"


@dataclass(slots=True)
class History:
    """A case as the source keeps it: what happens in it, one after the other, and the figures it comes to."""

    charged_to: date = BEGIN
    happenings: list[Happening] = field(default_factory=list)
    balances: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OWNERS, 0))
    suspended: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OWNERS, 0))
    open_receipts: list[tuple[str, str, int, bool]] = field(default_factory=list)
    custodian: int = 0

    def _add(self, kind: str, element: str, said: str, *, owner: str, pence: int, more: str = "") -> str:
        key = f"1-T{len(self.happenings) + 1}"
        schedule = OWNERS[owner]
        own = "" if kind == "receipt.reversed" else f'scheduleRef="{schedule}" '
        child = f'<{element} id="{key}" {own}amount="{money(pence)}" {said}/>'
        number = f'scheduleRef="{schedule}" no="{len(self.happenings) + 1}" posted="2015-07-01"'
        types = {"Charge": "CHARGE", "Receipt": "RECEIPT", "Adjustment": "ADJUSTMENT", "ReceiptReversed": "REVERSAL"}
        line = f'<Transaction id="{key}" {number} type="{types[element]}" amount="{money(pence)}" {said} {more}/>'
        self.happenings.append((kind, child, line))
        return key

    def charge(self, days: int) -> None:
        end = self.charged_to + timedelta(days)
        pence = charge(MONTHLY, self.charged_to, end - timedelta(1))
        said = f'from="{self.charged_to}" to="{end}" assessmentRef="1-A1" monthly="{money(MONTHLY)}"'
        self._add("charge.raised", "Charge", said, owner="RECEIVING_PARENT", pence=pence)
        self.balances["RECEIVING_PARENT"] += pence
        self.charged_to = end

    def receipt(self, pence: int, owner: str, held: bool, day: date) -> None:
        place = "HELD" if held else "PAID"
        said = f'bankReference="B{len(self.happenings)}" valueDate="{day}" method="CH" disbursement="{place}"'
        key = self._add("receipt.posted", "Receipt", said, owner=owner, pence=-pence, more='bankStatus="UNKNOWN"')
        self.balances[owner] -= pence
        self.custodian += pence if held else 0
        self.open_receipts.append((key, owner, pence, held))

    def reverse(self, place: int) -> None:
        if not self.open_receipts:
            return
        key, owner, pence, held = self.open_receipts.pop(place % len(self.open_receipts))
        self._add("receipt.reversed", "ReceiptReversed", f'reverses="{key}" reason="BD"', owner=owner, pence=pence)
        self.balances[owner] += pence
        self.custodian -= pence if held else 0

    def adjust(self, pence: int, owner: str, reason: str) -> None:
        self._add(
            "adjustment.posted", "Adjustment", f'reason="{reason}" effective="2015-06-01"', owner=owner, pence=pence
        )
        sign = SUSPENSIONS.get(reason)
        if sign is None:
            self.balances[owner] += pence
        else:
            self.suspended[owner] += sign * pence

    def book(self, folder: Path, *, sequence: int) -> Path:
        """The extract that has everything that has happened so far."""
        schedules = "".join(
            f'<Schedule id="{schedule}" caseRef="{CASE}" owner="{owner}" balance="{money(self.balances[owner])}" '
            f'suspended="{money(self.suspended[owner])}"/>'
            for owner, schedule in OWNERS.items()
        )
        case = (
            f'<Case ref="{CASE}" status="LIVE" applicationDate="{BEGIN}" chargedTo="{self.charged_to}" '
            f'ledgerComplete="true" benefitKnown="true" queryMark="false" custodianCash="{money(self.custodian)}" '
            f'lastEventSeq="{len(self.happenings)}"/>'
        )
        row = f'<Assessment id="1-A1" caseRef="{CASE}" from="{BEGIN}" type="DEFAULT" monthly="{money(MONTHLY)}"/>'
        lists = {
            "Parties": PEOPLE, "Cases": case, "Relationships": ROLES, "Assessments": row, "Schedules": schedules,
            "Transactions": "".join(line for _, _, line in self.happenings),
        }  # fmt: skip
        control = {
            "parties": 2, "cases": 1, "relationships": 2, "assessments": 1, "schedules": 2,
            "transactions": len(self.happenings), "balanceRP": money(self.balances["RECEIVING_PARENT"]),
            "balanceSOS": money(self.balances["SECRETARY_OF_STATE"]), "suspended": money(sum(self.suspended.values())),
            "custodian": money(self.custodian),
        }  # fmt: skip
        records = 8 + len(self.happenings)
        return pack(folder, document(lists, control, sequence=sequence), sequence=sequence, records=records)


OWNER = st.sampled_from(sorted(OWNERS))
DAY = st.dates(date(2014, 12, 1), date(2015, 6, 30))
STEPS: st.SearchStrategy[Callable[[History], None]] = st.one_of(
    st.integers(1, 90).map(lambda days: lambda it: it.charge(days)),
    st.builds(
        lambda pence, owner, held, day: lambda it: it.receipt(pence, owner, held, day),
        st.integers(1, 99_999), OWNER, st.booleans(), DAY,
    ),
    st.integers(0, 9).map(lambda place: lambda it: it.reverse(place)),
    st.builds(
        lambda pence, owner, reason: lambda it: it.adjust(pence, owner, reason),
        st.integers(1, 9_999), OWNER, st.sampled_from(["DEBIT", "WRITEOFF", "SUSPEND"]),
    ),
)  # fmt: skip


def judged(folder: Path, book: Path, events: list[dict[str, Any]]) -> dict[str, Any]:
    where = Settings(data_dir=folder, synthetic_identities=True)
    with Hub(where, Catalogue.standard(), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as hub:
        pipeline = hub.pipeline("csa2003")
        report = pipeline.take(find_files([book], pipeline.descriptor.delivery)[0])
        assert report.verdict.value == "ACCEPTED", report.reasons
        hub.judge_waiting()
        if events:
            assert {item.verdict.value for item in taken(hub, folder, events)} == {"ACCEPTED"}
        with hub.store.read() as connection:
            rows = [row for part in hub.judged_rows(connection, None)["arrears"]() for row in part.to_dicts()]
    (row,) = rows
    return {name: row[name] for name in ("outcome", "accepted", "segment", "uncollectable", "debts")}


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, max_size=4), st.lists(STEPS, min_size=1, max_size=6))
def test_sound_events_come_to_what_a_later_book_comes_to(
    before: list[Callable[[History], None]], after: list[Callable[[History], None]]
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        history = History()
        history.charge(31)
        for step in before:
            step(history)
        early, known = history.book(folder / "early", sequence=101), len(history.happenings)
        for step in after:
            step(history)
        events = [
            event(number, child, kind, case=CASE)
            for number, (kind, child, _) in enumerate(history.happenings[known:], known + 1)
        ]
        late = history.book(folder / "late", sequence=101)
        expected = judged(folder / "one", late, [])
        assert expected["outcome"] == "SOURCE"
        assert judged(folder / "other", early, events) == expected
    finally:
        shutil.rmtree(folder)
