"""Forms of the connector `cps` (payments.md §6)."""

from integrationhub.canonical.units.form import code, day, form, pence, text

FORMS = (
    form(
        "cps_details",
        "Deductions from benefit, their recalls, and reasons for none",
        text("action", "deduction, recall, or nothing deducted, as the source writes it"),
        text("nino", "number of the person", personal=True),
        text("surname", "surname of the person", personal=True),
        text("debt_reference", "reference of the debt"),
        code("benefit", "benefit from which was deducted"),
        *day("value_date", "day of the money", marked=True),
        pence("amount_pence", "amount"),
        text("original_remittance", "deduction that a recall takes back"),
        text("nil_reason", "why nothing was deducted"),
    ),
)
