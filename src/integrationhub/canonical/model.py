"""The canonical model: every entity, field, type and code list, declared once.

Database tables, staging tables, mapping targets, exports, JSON Schema and the reference documentation are all derived
from what stands here; nothing else defines a canonical column. Conventions:

- money is signed integer pence; instants are UTC; dates are ISO 8601;
- identifiers are opaque and derived from natural keys (`canonical.identifiers`), so the same input gives the same rows;
- a date that a source may leave open, unrecorded or filled with a sentinel has a companion `<name>_mark` (DATE_MARK);
- every row carries its provenance (PROVENANCE): the file or message, the record, the byte offset and the mapping that
  made it. Which source *field* a value came from follows from the mapping's lineage.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class Type(StrEnum):
    """Column types; `store.schema` and `records` frames translate them to SQL and Polars."""

    ID = "id"  # 128 bits, written as a UUID
    TEXT = "text"
    CODE = "code"
    INT = "int"  # 64 bits, signed
    PENCE = "pence"  # 64 bits, signed
    DATE = "date"
    BOOL = "bool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One attribute of an entity. `codes` closes a CODE field; `personal` fields are masked and never logged."""

    name: str
    type: Type
    title: str
    required: bool = False
    codes: tuple[str, ...] = ()
    personal: bool = False
    references: str | None = None  # the entity whose key this identifier is


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One canonical entity = one table = one export. `key` is its identifier column.

    `group_scoped` entities are replaced together with their source group; `append_only` ones never change a row.
    A `unit` is no table (`canonical.units`): its rows are judged, and known by their place.
    """

    name: str
    title: str
    key: str
    fields: tuple[Field, ...]
    group_scoped: bool = True
    append_only: bool = False
    order: tuple[str, ...] = ()  # export order; the key closes it
    unit: bool = False
    part_of: str | None = None  # of a unit's rows: the form of the unit that they belong to

    def field(self, name: str) -> Field:
        """The field called `name`; KeyError if the entity has none."""
        return {item.name: item for item in self.all_fields()}[name]

    def names(self) -> tuple[str, ...]:
        """All column names, provenance included, in table order."""
        return tuple(item.name for item in self.all_fields())

    def all_fields(self) -> Iterator[Field]:
        """Key, own fields, provenance: the columns of the table in order."""
        if not self.unit:
            title = "opaque identifier, derived from the natural key"
            yield Field(name=self.key, type=Type.ID, title=title, required=True)
        yield from self.fields
        yield from (replace(item, required=item.required and self.part_of is None) for item in PROVENANCE)


DATE_MARK = ("OPEN", "NOT_RECORDED", "SENTINEL")
"""Why a date is empty: no end, never recorded, or a sentinel value stood in its place (arrears-errors.md E06)."""

LEGAL_OWNER = ("RECEIVING_PARENT", "SECRETARY_OF_STATE", "LOCAL_AUTHORITY", "CHILD_IN_SCOTLAND", "UNKNOWN", "MIXED")
DEBT_KIND = (
    "CHILD_MAINTENANCE_ARREARS", "OVERPAYMENT", "ADVANCE", "HARDSHIP", "SOCIAL_FUND_LOAN", "TAX_CREDIT",
    "HOUSING_BENEFIT_OVERPAYMENT", "CIVIL_PENALTY", "ADMIN_PENALTY", "COMPENSATION_RECOVERY",
)  # fmt: skip
DEBT_CAUSE = ("FRAUD", "CLAIMANT_ERROR", "OFFICIAL_ERROR", "NOT_APPLICABLE", "UNKNOWN")
DEBT_STATUS = (
    "ACTIVE", "SUSPENDED", "DISPUTED", "PENDING_REPRESENTATION", "CLEARED", "WRITTEN_OFF", "TRANSFERRED", "REMOVED",
    "ARCHIVED",
)  # fmt: skip
LEDGER_KIND = (
    "OPENING", "LIABILITY", "RECEIPT", "REVERSAL", "ADJUSTMENT", "WRITE_OFF", "TRANSFER_OUT", "TRANSFER_IN", "REFUND",
    "FEE",
)  # fmt: skip
NINO_STATUS = ("VERIFIED", "TRACED", "UNVERIFIED", "TEMPORARY", "ADMINISTRATIVE", "INVALID", "ABSENT")
ROLE = ("NRP", "PWC", "QCH", "PTN", "REP")
SCHEME = ("1993", "2003", "2012", "BENEFIT")
CUSTODY = ("HELD", "PAID", "KEPT")
GROUP_STATE = ("IN_BOOK", "WITHDRAWN", "GONE")
CASE_STATE = ("IN_BOOK", "WITHDRAWN", "GONE", "HELD")
"""In the source's book; taken out of its group (debts REMOVED, ledger cancelled); gone with its group from a whole book
(reported, nothing removed); claimed by a group that is in quarantine (nothing removed)."""


def _id(name: str, title: str, references: str, *, required: bool = False) -> Field:
    return Field(name=name, type=Type.ID, title=title, references=references, required=required)


def _text(name: str, title: str, *, required: bool = False, personal: bool = False) -> Field:
    return Field(name=name, type=Type.TEXT, title=title, required=required, personal=personal)


def _code(name: str, title: str, codes: tuple[str, ...], *, required: bool = False) -> Field:
    return Field(name=name, type=Type.CODE, title=title, codes=codes, required=required)


def _int(name: str, title: str, *, required: bool = False) -> Field:
    return Field(name=name, type=Type.INT, title=title, required=required)


def _pence(name: str, title: str, *, required: bool = False) -> Field:
    return Field(name=name, type=Type.PENCE, title=title, required=required)


def _bool(name: str, title: str, *, required: bool = False) -> Field:
    return Field(name=name, type=Type.BOOL, title=title, required=required)


def _date(name: str, title: str, *, required: bool = False, personal: bool = False) -> Field:
    return Field(name=name, type=Type.DATE, title=title, required=required, personal=personal)


def _marked(name: str, title: str, *, personal: bool = False) -> tuple[Field, Field]:
    """A date with its companion `<name>_mark`."""
    return _date(name, title, personal=personal), _code(f"{name}_mark", f"why {name} is empty", DATE_MARK)


PROVENANCE: tuple[Field, ...] = (
    _text("source_system", "system the row came from, e.g. CSCS", required=True),
    _text("source_ref", "the source's own reference of the row", required=True),
    _id("delivery_id", "file or message the row came in", "deliveries", required=True),
    _int("record_no", "record number in the file, from 1", required=True),
    _int("byte_offset", "byte offset of the record's data in the file", required=True),
    _text("mapping_id", "mapping spec and version that made the row", required=True),
    _int("version", "sequence number × 2³² + record number: later input wins", required=True),
)
"""Columns that every canonical row ends with."""

PARTIES = Entity(
    name="parties",
    title="A person or organisation as one source system knows it",
    key="party_id",
    group_scoped=False,
    fields=(
        _code("kind", "what the party is", ("PERSON", "ORGANISATION", "SECRETARY_OF_STATE"), required=True),
        _text("surname", "family name", personal=True),
        _text("forenames", "given names", personal=True),
        *_marked("birth_date", "date of birth", personal=True),
        _code("sex", "sex as recorded", ("M", "F", "U")),
        _text("nino", "National Insurance number as recorded, upper case, no blanks", personal=True),
        _code("nino_status", "what the number is worth (DOMAIN.md)", NINO_STATUS, required=True),
        _bool("nino_usable", "may the number join records of one person (csa1993.md §7)", required=True),
    ),
)

ADDRESSES = Entity(
    name="addresses",
    title="An address of a party, with the source's confidentiality mark",
    key="address_id",
    fields=(
        _id("group_id", "source group that carried it", "groups", required=True),
        _id("party_id", "whose address", "parties", required=True),
        _code("kind", "current or previous", ("CURRENT", "PREVIOUS"), required=True),
        _bool("confidential", "must never reach the other parent (csa1993.md §4, record 27)", required=True),
        *_marked("valid_from", "first day of the address"),
        _text("postcode", "postcode", personal=True),
        *(_text(f"line_{number}", f"address line {number}", personal=True) for number in range(1, 6)),
    ),
)

GROUPS = Entity(
    name="groups",
    title="A source group: all cases of one non-resident parent as the source knows them",
    key="group_id",
    fields=(
        _id("nrp_party_id", "the non-resident parent", "parties"),
        _code("source_status", "status in the source", ("ACTIVE", "FROZEN", "WITHDRAWN"), required=True),
        _text("payment_method", "payment method, information only"),
        _bool("potentially_violent", "shown to staff, never to the other party", required=True),
        _int("case_count", "cases in the group", required=True),
        _code("state", "whether the source's book still has it", GROUP_STATE, required=True),
        _date("as_at", "as-at date of the file it last came in", required=True),
    ),
)

CASES = Entity(
    name="cases",
    title="One application for child maintenance",
    key="case_id",
    order=("scheme", "source_ref"),
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _code("scheme", "whose rules apply", SCHEME, required=True),
        _text("host_system", "where the case lives", required=True),
        _code("status", "status in the source", ("LIVE", "ARREARS_ONLY", "CLOSED", "OFF_SYSTEM"), required=True),
        *_marked("effective_date", "effective date of the application"),
        *_marked("liability_end", "last day of liability"),
        *_marked("last_charged", "last day charged"),
        _bool("ledger_complete", "all transactions since the effective date are here", required=True),
        _bool("benefit_known", "the benefit periods are complete", required=True),
        _bool("accuracy_query", "an officer has doubted the assessment", required=True),
        _pence("source_custodian_pence", "cash held as custodian, as the source says", required=True),
        _int("last_event_seq", "number of the last change event that the source's file contains"),
        _text("note", "free text", personal=True),
        _code("state", "whether the source's book still has it", CASE_STATE, required=True),
        _date("as_at", "as-at date of the file it last came in", required=True),
    ),
)

ROLES = Entity(
    name="roles",
    title="A party's role in a case",
    key="role_id",
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("case_id", "the case; empty where the source names a case that is not in the group (E10)", "cases"),
        _text("source_case_ref", "case reference as sent", required=True),
        _id("party_id", "who", "parties", required=True),
        _code("role", "as what", ROLE, required=True),
        *_marked("from_date", "first day"),
        *_marked("to_date", "last day"),
        _bool("is_payee", "the receiving parent who is paid", required=True),
        *_marked("birth_date", "date of birth as this record has it", personal=True),
    ),
)

BENEFIT_PERIODS = Entity(
    name="benefit_periods",
    title="A period in which the parent with care was on benefit",
    key="benefit_period_id",
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("case_id", "the case", "cases", required=True),
        *_marked("from_date", "first day"),
        *_marked("to_date", "last day"),
        _code("benefit", "which benefit", ("IS", "JSA", "ESA"), required=True),
    ),
)

LIABILITY_PERIODS = Entity(
    name="liability_periods",
    title="An assessment row: what was due from when to when",
    key="liability_period_id",
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("case_id", "the case", "cases"),
        _text("source_case_ref", "case reference as sent", required=True),
        _int("row_no", "row number in the assessment, from 1", required=True),
        *_marked("from_date", "first day"),
        *_marked("to_date", "last day"),
        _code("basis", "how it was set", ("FULL", "INTERIM", "DEFAULT", "NIL", "CANCELLED"), required=True),
        _pence("weekly_pence", "amount due a week", required=True),
        _pence("monthly_pence", "amount due a month, where the scheme assesses by the month"),
        _bool("inputs_held", "the inputs of the formula are held", required=True),
        _pence("net_weekly_pence", "net weekly income"),
        _pence("exempt_weekly_pence", "exempt weekly income"),
        _pence("net_monthly_pence", "net monthly income, where the scheme assesses by the month"),
        _int("children", "number of children"),
        *(_int(f"nights_{number}", f"nights a year of child {number} with the NRP") for number in range(1, 5)),
    ),
)

DEBTS = Entity(
    name="debts",
    title="What one payer owes one payee from one application",
    key="debt_id",
    order=("scheme", "source_ref", "legal_owner"),
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("case_id", "the case", "cases", required=True),
        _code("scheme", "whose rules apply", SCHEME, required=True),
        _text("host_system", "where the debt lives", required=True),
        _text("application_ref", "the application", required=True),
        _code("payee_role", "who is paid", ("PWC", "SECRETARY_OF_STATE")),
        _code("legal_owner", "whose money it is", LEGAL_OWNER, required=True),
        _code("kind", "kind of debt", DEBT_KIND, required=True),
        _code("cause", "cause of the debt", DEBT_CAUSE, required=True),
        _code("status", "status of the debt", DEBT_STATUS, required=True),
        _date("opened", "when the debt was opened"),
        _date("as_at", "as-at date of the file it last came in", required=True),
    ),
)

LEDGER = Entity(
    name="ledger",
    title="One line of a debt's ledger; a line is never changed, a changed source line is cancelled and entered anew",
    key="entry_id",
    append_only=True,
    order=("source_system", "source_case_ref", "line_no", "version"),
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("debt_id", "the debt; empty for an orphan line (E10)", "debts"),
        _id("case_id", "the case; empty for an orphan line (E10)", "cases"),
        _text("source_case_ref", "case reference as sent", required=True),
        _int("line_no", "line number within the case", required=True),
        _code("kind", "kind of entry", LEDGER_KIND, required=True),
        _code("owner", "whose money it is, as sent", LEGAL_OWNER, required=True),
        _text("reason", "reason code as sent"),
        _pence("pence", "signed effect on the owner's outstanding balance", required=True),
        _pence("suspended_pence", "signed effect on the suspended part", required=True),
        _pence("stored_pence", "the amount as the source stores it", required=True),
        *_marked("posted", "posting date"),
        *_marked("effective", "effective or value date"),
        *_marked("from_date", "first day charged"),
        *_marked("to_date", "last day charged"),
        _pence("weekly_pence", "weekly amount charged"),
        _pence("monthly_pence", "monthly amount charged, where the scheme assesses by the month"),
        _int("assessment_row", "assessment row the charge was made from"),
        _text("assessment_ref", "the source's identifier of the assessment row, where rows have one"),
        _int("reverses_line", "line number that this one reverses"),
        _text("source_id", "the source's identifier of the line, where lines have one"),
        _text("schedule_ref", "the source's identifier of the schedule that the line stands in"),
        _text("reverses_ref", "the source's identifier of the line that this one reverses"),
        _text("authority", "who authorised an adjustment"),
        _text("text", "text of an adjustment", personal=True),
        _id("cancels_entry_id", "entry that this one takes back because the source changed the line", "ledger"),
        _text("digest", "BLAKE2b-128 over the content; of the entry taken back where this one cancels", required=True),
    ),
)

_NOT_CONTENT = ("group_id", "cancels_entry_id", "digest")
LEDGER_CONTENT = ("source_system", *(item.name for item in LEDGER.fields if item.name not in _NOT_CONTENT))
"""The columns that a ledger line's `digest` covers, in this order (`store.seal`)."""

SEALED = ("entry_id", "digest")
"""Ledger columns that the store computes itself (`store.seal`): a mapping gives no digest, and what it gives as
identifier only tells the lines of one batch apart."""

RECEIPTS = Entity(
    name="receipts",
    title="Money received from a payer",
    key="receipt_id",
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("case_id", "the case it was posted to; empty for an orphan (E10)", "cases"),
        _text("source_case_ref", "case reference as sent", required=True),
        _int("line_no", "ledger line number within the case", required=True),
        _id("payer_party_id", "who paid", "parties"),
        _pence("pence", "amount received, positive", required=True),
        _code("owner", "whose money it is, as sent", LEGAL_OWNER, required=True),
        _code("method", "how it was paid", ("SO", "DD", "CH", "CA", "DE")),
        *_marked("value_date", "value date"),
        _text("bank_reference", "the bank's reference"),
        _text("quoted_reference", "the reference the payer quoted"),
        _code("bank_status", "what the bank said", ("CLEARED", "DISHONOURED", "UNKNOWN"), required=True),
        _code("custody", "where the money is", CUSTODY, required=True),
    ),
)

ALLOCATIONS = Entity(
    name="allocations",
    title="The part of a receipt that pays one debt; a receipt without allocation is in suspense",
    key="allocation_id",
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("receipt_id", "the receipt", "receipts", required=True),
        _id("debt_id", "the debt", "debts", required=True),
        _pence("pence", "amount allocated", required=True),
    ),
)

BALANCES = Entity(
    name="balances",
    title="What somebody says a debt amounts to: the source, the evidence, or the decision",
    key="balance_id",
    order=("source_ref", "kind"),
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("debt_id", "the debt", "debts", required=True),
        _code("kind", "who says so", ("SOURCE", "RECOMPUTED", "ACCEPTED"), required=True),
        _pence("pence", "outstanding, suspended part included", required=True),
        _pence("suspended_pence", "the part not to be pursued", required=True),
        _date("as_at", "as-at date", required=True),
        _text("evidence", "where the figure comes from", required=True),
    ),
)

HISTORY = Entity(
    name="history",
    title="An enforcement step or a contact",
    key="history_id",
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("case_id", "the case; empty when it belongs to all cases of the group", "cases"),
        _text("source_case_ref", "case reference as sent"),
        _code("class", "what it is", ("ENFORCEMENT", "CONTACT"), required=True),
        _code("code", "which", ("DEO", "LOR", "DDO", "CHG", "TEL", "LET", "MTG", "NOC"), required=True),
        *_marked("from_date", "first day, or day of the contact"),
        *_marked("to_date", "last day in force"),
        _code("outcome", "how it ended", ("SUCCESS", "FAILED", "WITHDRAWN"), required=True),
        _id("party_id", "who it concerns", "parties"),
    ),
)

SCHEDULES = Entity(
    name="schedules",
    title="A payment schedule of a case: the source keeps a balance for each of them, and several may have one owner",
    key="schedule_id",
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("case_id", "the case; empty where the source names a case that is not in the file", "cases"),
        _id("debt_id", "the debt that the schedule is a part of", "debts"),
        _text("source_case_ref", "case reference as sent", required=True),
        _text("source_id", "the source's identifier of the schedule", required=True),
        _code("owner", "whose money it is, as sent", LEGAL_OWNER, required=True),
        _pence("pence", "outstanding, suspended part included, as the source says", required=True),
        _pence("suspended_pence", "the part not to be pursued, as the source says", required=True),
    ),
)

CLERICAL_TOTALS = Entity(
    name="clerical_totals",
    title="What a clerical case was keyed with: totals instead of a ledger, and whether the two keyings agree",
    key="clerical_total_id",
    fields=(
        _id("group_id", "source group", "groups", required=True),
        _id("case_id", "the case", "cases", required=True),
        _int("key_no", "which keying the figures are from", required=True),
        _bool("keyings_agree", "the two keyings agree and can be read (clerical.md §3)", required=True),
        _text("former_case_ref", "the case this one was on a system before, as keyed", personal=True),
        _bool("pwc_address_confidential", "the address of the parent with care must never reach the other parent"),
        _int("children", "number of children"),
        *_marked("effective_date", "application date"),
        *_marked("liability_end", "last day of liability"),
        _pence("weekly_pence", "weekly amount"),
        _pence("charged_rp_pence", "liability charged so far, receiving parent"),
        _pence("charged_sos_pence", "liability charged so far, Secretary of State"),
        _pence("received_rp_pence", "effective receipts so far, receiving parent; positive"),
        _pence("received_sos_pence", "effective receipts so far, Secretary of State; positive"),
        _pence("balance_rp_pence", "balance as keyed, receiving parent"),
        _pence("balance_sos_pence", "balance as keyed, Secretary of State"),
        _pence("custodian_pence", "custodian cash as keyed"),
        *_marked("last_payment", "day of the last payment"),
        *_marked("last_contact", "day of the last contact with the non-resident parent"),
        *_marked("keyed_as_at", "the day that the figures are of"),
        _text("notes", "free text", personal=True),
    ),
)

ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        PARTIES, ADDRESSES, GROUPS, CASES, ROLES, BENEFIT_PERIODS, LIABILITY_PERIODS, DEBTS, LEDGER, RECEIPTS,
        ALLOCATIONS, BALANCES, HISTORY, SCHEDULES, CLERICAL_TOTALS,
    )
}  # fmt: skip
"""Every canonical entity by its name, parents before children."""
