"""The unit form of commands from online accounts."""

from integrationhub.canonical.units.form import day, form, pence, text, whole, yes_no

FORMS = (
    form(
        "account_commands",
        "What a person did in an online account",
        text("command_type", "what is asked for"),
        whole("schema_version", "version of the command's form"),
        text("issued_at", "when it was issued, UTC"),
        text("nonce", "stands for the number used once"),
        text("nino", "the account's National Insurance number, as it came", personal=True),
        text("vot", "how surely the person was recognised"),
        yes_no("payload_fits", "whether everything that the command needs is there, and of its type"),
        text("sao", "flat", personal=True),
        text("pao", "house", personal=True),
        text("street", "street", personal=True),
        text("locality", "locality", personal=True),
        text("town", "town", personal=True),
        text("area", "administrative area", personal=True),
        text("postcode", "postcode, as it came", personal=True),
        text("uprn", "unique property reference number", personal=True),
        *day("effective_date", "day from which the address holds", marked=True),
        text("debt_ref", "the debt that the command is about"),
        pence("instalment_pence", "offered instalment"),
        text("frequency", "how often it is paid"),
        *day("first_date", "day of the first instalment", marked=True),
        text("grounds", "why the debt is disputed"),
        text("free_text", "what the person says to it", personal=True),
    ),
)
