"""Forms of the connector `bank-statements` (payments.md §3 to §5)."""

from integrationhub.canonical.units.form import code, day, form, pence, text, whole, yes_no

FORMS = (
    form(
        "bank_entries",
        "Entries of statements and notifications, or transactions of an entry that is split",
        code("origin", "what the entry stands in", ("STATEMENT", "NOTIFICATION")),
        text("account", "account that is ours"),
        text("statement", "reference of the statement or notification"),
        whole("number", "number of the entry over all pages"),
        whole("part", "number of the transaction in its entry, where each is judged for itself"),
        whole("parts", "transactions of the entry"),
        code("status", "status; only BOOK is money that moved"),
        code("currency", "currency"),
        code("side", "which way the money went", ("CREDIT", "DEBIT")),
        yes_no("is_return", "takes back an earlier entry"),
        pence("amount_pence", "amount; empty where it isn't of the agreed form"),
        *day("booking_date", "day on which the bank booked it", marked=True),
        *day("value_date", "day from which it counts", marked=True),
        text("bank_ref", "reference that the bank gave the entry"),
        text("end_to_end_id", "reference that goes with the payment from end to end"),
        text("creditor_refs", "structured references, one a line", personal=True),
        text("remittance", "what the payer wrote, line by line", personal=True),
        text("details", "further information on the transaction", personal=True),
        text("entry_details", "further information on the entry", personal=True),
        code("family", "kind of transaction (ISO 20022 family)"),
        text("bulk_ref", "the submission whose payments an entry sums up"),
    ),
    form(
        "payment_statuses",
        "What the bank says of payments that were ordered",
        text("message", "the order's message"),
        text("end_to_end_id", "reference that goes with the payment from end to end"),
        code("status", "status of the payment"),
        code("status_reason", "why it was rejected"),
    ),
)
