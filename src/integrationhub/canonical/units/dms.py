"""Records of the debt manager's extract (debt-manager.md §2)."""

from integrationhub.canonical.units.form import code, day, form, pence, text, whole

RECORDS = form(
    "debt_records",
    "What a debt is like, or that it is gone",
    code("file_kind", "whether the file lists all debts or what changed", ("FULL", "DELTA")),
    code("action", "insert, change or delete", ("I", "C", "D")),
    text("ref", "reference of the debt"),
    whole("record_version", "rises with every change of the debt"),
    text("nino", "debtor's National Insurance number", personal=True),
    code("nino_status", "what the number is worth", ("VERIFIED", "UNVERIFIED", "TEMPORARY", "NONE")),
    text("title", "debtor's title", personal=True),
    text("forenames", "debtor's forenames", personal=True),
    text("surname", "debtor's surname", personal=True),
    *day("dob", "debtor's date of birth", personal=True, marked=True),
    *day("dod", "debtor's date of death", personal=True),
    text("sao", "flat", personal=True),
    text("pao", "house", personal=True),
    text("street", "street", personal=True),
    text("locality", "locality", personal=True),
    text("town", "town", personal=True),
    text("administrative_area", "administrative area", personal=True),
    text("postcode", "postcode", personal=True),
    whole("uprn", "unique property reference number"),
    *day("address_from", "since when the debtor lives there"),
    code("benefit", "benefit that was overpaid"),
    code("debt_type", "kind of debt"),
    code("cause", "who erred; NONE where that is no question"),
    *day("decision_date", "day of the decision"),
    *day("period_from", "first day that was overpaid"),
    *day("period_to", "last day that was overpaid"),
    pence("original_pence", "what was owed at first"),
    pence("adjusted_pence", "what was put on or taken off"),
    pence("recovered_pence", "what came back"),
    pence("written_off_pence", "what nobody asks for any longer"),
    pence("source_balance_pence", "what is owed"),
    code("method", "how it is recovered"),
    pence("rate_pence", "instalment"),
    code("rate_frequency", "how often an instalment is due"),
    *day("last_recovery", "day of the last recovery"),
    whole("hold_count", "how many holds there are"),
    code("evidence", "how complete the evidence is; DERIVE: as the day of the decision says"),
    whole("joint_count", "how many joint debtors there are"),
    text("office", "who holds the debt"),
    code("status", "state of the debt"),
    text("loan_ref", "reference of a Social Fund loan"),
    *day("loan_date", "day of a Social Fund loan"),
    text("ntc_ref", "reference of a tax credit award"),
    whole("tax_year_end", "year in which the tax year of a tax credit debt ends"),
)

HOLDS = form(
    "debt_record_holds",
    "A reason not to recover the debt",
    code("code", "reason", ("BS", "MH", "AP", "IN", "DE", "DI")),
    *day("start", "first day"),
    *day("end", "last day; none: open"),
    part_of="debt_records",
)

JOINT = form(
    "debt_record_joint",
    "Somebody who is liable beside the debtor",
    text("nino", "National Insurance number", personal=True),
    whole("share", "share in hundredths of a percent"),
    code("role", "role", ("PARTNER", "ESTATE", "OTHER")),
    part_of="debt_records",
)

FORMS = (RECORDS, HOLDS, JOINT)
