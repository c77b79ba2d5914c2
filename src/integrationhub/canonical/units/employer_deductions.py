"""Forms of the connector `employer-deductions` (employer-deductions.md §1)."""

from integrationhub.canonical.units.form import code, day, form, pence, text, whole

FORMS = (
    form(
        "deduction_rows",
        "Rows of a deduction schedule",
        code("order_type", "direct earnings attachment or deduction from earnings order", ("DEA", "DEO")),
        text("nino", "number of the employee", personal=True),
        text("surname", "surname of the employee", personal=True),
        text("initials", "initials or forenames of the employee", personal=True),
        text("reference", "reference of the debt or case"),
        *day("pay_date", "day of payment", marked=True),
        code("frequency", "weekly, two-weekly, four-weekly, monthly", ("W", "F", "4", "M")),
        pence("net_earnings_pence", "net earnings"),
        pence("other_deductions_pence", "deductions that come first"),
        pence("deduction_pence", "what was taken"),
        code("rate_type", "standard or higher rate", ("S", "H")),
        code("reason", "why nothing was taken", ("LE", "BT", "PE", "SI", "NP")),
        whole("same_as_row", "earlier row with the same number, reference, pay date and deduction"),
    ),
)
