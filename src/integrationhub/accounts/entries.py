"""What stands in the book of accounts: debts with their holds, cases, receipts and what was taken back, notes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from integrationhub.canonical.identifiers import derive

OPEN_STATUSES = ("ACTIVE", "SUSPENDED")
CLOSED_STATUSES = ("CLEARED", "WRITTEN_OFF", "REMOVED", "ARCHIVED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a row is from: the delivery, its record, the place of that, the mapping that read it, and when it came."""

    delivery_id: str
    record: int
    offset: int
    mapping_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A reason not to recover a debt, active when `start` ≤ date ≤ `end` (None: open), and the feed that set it."""

    code: str  # BS MH AP IN DE DI (debt-manager.md §2)
    start: date
    end: date | None
    origin: str

    def is_active(self, day: date) -> bool:
        """Whether it holds on that day."""
        return self.start <= day and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class JointDebtor:
    """Somebody who is liable beside the debtor. `share`: hundredths of a percent."""

    nino: str | None
    share: int
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """A debt of a benefit system, as its source's last accepted record has it, with the hub's own holds.

    `version` orders the records of one debt; `content` tells equal ones. `details` are further canonical fields.
    """

    ref: str  # DM or UD + 10 digits
    source_system: str  # DEBT_MANAGER, UNIVERSAL_CREDIT
    source_id: str  # the source's own identity; the reference for debt manager
    version: str
    content: str
    status: str
    kind: str  # OVERPAYMENT ADVANCE SOCIAL_FUND_LOAN CIVIL_PENALTY ADMIN_PENALTY TAX_CREDIT HARDSHIP
    benefit: str
    cause: str | None
    original_pence: int
    adjusted_pence: int
    recovered_pence: int
    written_off_pence: int
    source_balance_pence: int
    as_at: date
    nino: str | None
    nino_status: str | None
    surname: str | None
    dob: date | None
    postcode: str | None
    joint: tuple[JointDebtor, ...] = ()
    holds: tuple[Hold, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether money may still be taken for it (its balance apart)."""
        return self.status in OPEN_STATUSES

    def recovery_allowed(self, day: date) -> bool:
        """No hold on that day, and active."""
        return self.status == "ACTIVE" and not any(hold.is_active(day) for hold in self.holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A child maintenance case that receipts may be meant for; its ledger is mastered elsewhere."""

    ref: str
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Money that arrived. In suspense it has neither debt nor case, and `reason` says why.

    `marks` are what later units find it by or say of it: end_to_end_id, reference, texts, payment_id, processing_date…
    `reversed_pence` is what has been taken back of it.
    """

    source: str  # BACS_COLLECTION BANK CPS EMPLOYER CARD UC_DEDUCTION
    key: str
    amount_pence: int
    value_date: date
    debt_ref: str | None = None
    case_ref: str | None = None
    reason: str | None = None
    marks: Mapping[str, Any] = field(default_factory=dict)
    reversed_pence: int = 0
    number: int = 0  # order of posting: the oldest first

    @property
    def receipt_id(self) -> str:
        """Its opaque identifier."""
        return derive("money", self.source, self.key)

    @property
    def in_suspense(self) -> bool:
        """Whether nobody's debt got it."""
        return self.debt_ref is None and self.case_ref is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """Money of a receipt that went back. `amount_pence` is negative."""

    source: str
    key: str
    receipt: Receipt
    amount_pence: int
    value_date: date
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that a feed must remember: a seen id, a nonce, a page, a mandate, a life event, an offer.

    `about`: the debt, case or person it concerns, where people will look for it there.
    """

    feed: str
    kind: str
    key: str
    value: Mapping[str, Any]
    about: str | None = None
