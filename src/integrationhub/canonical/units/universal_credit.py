"""Messages of Universal Credit (universal-credit.md §4 to §6): what each is about, and what it says."""

from integrationhub.canonical.units.form import code, day, form, pence, text, whole, yes_no

MESSAGES = form(
    "uc_messages",
    "What became of a record of Universal Credit",
    code("kind", "collection that the record is in"),
    text("id", "canonical id of the record"),
    code("effect", "what becomes of the record", ("UPSERT", "ARCHIVE", "DELETE")),
    text("record_version", "version of the record: an instant, UTC"),
    yes_no("version_defaulted", "whether the message says nothing of the version"),
    code("trouble", "why the record can't be read", ("COLLECTION_NOT_TAKEN", "ID_MISSING", "PAYLOAD_INVALID")),
)

DEBTS = form(
    "uc_debts",
    "A debt or an advance",
    text("ref", "reference of the debt"),
    text("citizen_id", "the source's identifier of the debtor", personal=True),
    text("nino", "debtor's National Insurance number", personal=True),
    text("forenames", "debtor's forenames", personal=True),
    text("surname", "debtor's surname", personal=True),
    *day("dob", "debtor's date of birth", personal=True, marked=True),
    text("line1", "first line of the address", personal=True),
    text("line2", "second line of the address", personal=True),
    text("town", "town", personal=True),
    text("postcode", "postcode", personal=True),
    code("debt_type", "kind of debt", ("OVERPAYMENT", "CIVIL_PENALTY", "TAX_CREDIT", "HARDSHIP", "ADVANCE")),
    code("cause", "who erred", ("FRAUD", "CLAIMANT_ERROR", "OFFICIAL_ERROR")),
    *day("decision_date", "day of the decision, or on which an advance was paid"),
    pence("original_pence", "what was owed at first"),
    pence("recovered_pence", "what came back"),
    pence("source_balance_pence", "what is owed"),
    code("status", "state of the debt", ("ACTIVE", "SUSPENDED", "CLEARED", "WRITTEN_OFF")),
    text("debt_manager_ref", "reference of the same debt in the debt manager"),
    code("advance_type", "kind of advance", ("NEW_CLAIM", "BUDGETING", "CHANGE_OF_CIRCUMSTANCES")),
    whole("repayment_months", "months in which an advance is paid back"),
    part_of="uc_messages",
)

HOLDS = form(
    "uc_holds",
    "A reason not to recover a debt",
    code("code", "reason", ("BS", "MH", "AP", "IN", "DE", "DI")),
    *day("start", "first day"),
    *day("end", "last day; none: open"),
    part_of="uc_messages",
)

DEDUCTIONS = form(
    "uc_deductions",
    "Money taken from a payment of benefit",
    text("ref", "reference of the debt that it is for"),
    text("nino", "debtor's National Insurance number", personal=True),
    *day("period_start", "first day of the assessment period"),
    *day("period_end", "last day of the assessment period"),
    *day("deducted", "day of the deduction"),
    pence("amount_pence", "what was taken"),
    yes_no("reversed", "whether it was given back"),
    part_of="uc_messages",
)

STATEMENTS = form(
    "uc_statements",
    "What was paid for an assessment period, as evidence",
    *day("period_start", "first day of the assessment period"),
    *day("period_end", "last day of the assessment period"),
    pence("deductions_pence", "what was deducted"),
    pence("advances_pence", "what was paid as an advance"),
    pence("payment_pence", "what was paid"),
    part_of="uc_messages",
)

PEOPLE = form(
    "uc_people",
    "Whom a statement is for",
    text("citizen_id", "the source's identifier of the person", personal=True),
    text("contract_id", "the source's identifier of the claim"),
    part_of="uc_messages",
)

FORMS = (MESSAGES, DEBTS, HOLDS, DEDUCTIONS, STATEMENTS, PEOPLE)
