"""The unit form of card payment webhooks."""

from integrationhub.canonical.units.form import day, form, pence, text, whole

FORMS = (
    form(
        "card_payments",
        "What GOV.UK Pay told of a card payment",
        whole("api_version", "version of the message's form"),
        *day("created", "day on which the message was made"),
        text("resource_type", "what the message is about"),
        text("event_type", "what happened"),
        text("payment_id", "the payment"),
        text("payment_provider", "who took the card; sandbox for tests"),
        text("reference", "what the payer was asked to quote", personal=True),
        text("description", "what the payer was shown", personal=True),
        pence("amount_pence", "what was paid off the debt"),
        pence("total_pence", "with the surcharge of a corporate card, where there was one"),
        pence("submitted_pence", "what was refunded so far"),
        *day("captured", "day on which the money was taken", marked=True),
        *day("settled", "day on which the money reached the bank", marked=True),
    ),
)
