"""The unit form of documents in scanned mail."""

from integrationhub.canonical.units.form import day, form, pence, text, whole

FORMS = (
    form(
        "paper_documents",
        "A form or letter that came by post",
        *day("received", "day on which it was received"),
        text("barcode", "reference that was printed on it"),
        text("given", "names of the fields that are filled in"),
        text("pages", "its page images, by their names in the batch; worklist items tell them"),
        whole("page_count", "number of pages"),
        text("nino", "National Insurance number, as it was read", personal=True),
        text("debt_ref", "debt"),
        text("case_ref", "child maintenance case"),
        text("surname", "surname", personal=True),
        text("pao", "house", personal=True),
        text("street", "street", personal=True),
        text("town", "town", personal=True),
        text("postcode", "postcode, as it was read", personal=True),
        text("grounds", "why the debt is disputed"),
        text("frequency", "how often an instalment is offered"),
        pence("instalment_pence", "offered instalment"),
        *day("first_date", "day of the first instalment", marked=True),
        *day("effective_date", "day from which the address holds", marked=True),
        text("free_text", "what the person wrote", personal=True),
    ),
)
