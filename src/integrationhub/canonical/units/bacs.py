"""Forms of the connector `bacs` (payments.md §1, §2)."""

from integrationhub.canonical.units.form import code, day, form, pence, text

FORMS = (
    form(
        "bacs_lines",
        "Data lines of a submission in Standard 18",
        code("code", "transaction code"),
        text("reference", "reference, by which the debt is found"),
        pence("amount_pence", "amount"),
        *day("processing_date", "day on which the line is processed"),
        *day("file_date", "processing date of the file"),
    ),
    form(
        "bacs_returns",
        "Unpaid direct debits (ARUDD)",
        text("reference", "reference of the collection that was not paid"),
        *day("original_processing_date", "processing date of the collection", marked=True),
        pence("amount_pence", "amount that was not paid"),
        code("currency", "currency"),
        code("return_code", "why it was not paid"),
        *day("current_processing_date", "day on which the money goes back"),
    ),
    form(
        "bacs_advices",
        "What banks say of direct debit instructions (ADDACS, AUDDIS)",
        code("advice_type", "type of the advice"),
        code("record_type", "type of the record"),
        text("reference", "reference of the instruction"),
        code("reason_code", "what has become of the instruction"),
        *day("effective_date", "day from which it holds", marked=True),
        text("payer_name", "name on the payer's account", personal=True),
        text("payer_sort_code", "sort code of the payer's account", personal=True),
        text("payer_account", "number of the payer's account", personal=True),
        text("new_sort_code", "sort code to which the instruction moved", personal=True),
        text("new_account", "account to which the instruction moved", personal=True),
    ),
)
