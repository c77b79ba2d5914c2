"""The unit form of answers to identity questions."""

from integrationhub.canonical.units.form import form, text, whole

FORMS = (
    form(
        "identity_answers",
        "What the identity service found",
        text("request_id", "the question"),
        text("result", "what was found"),
        text("nino", "the number that the answer is about", personal=True),
        text("superseded_by", "the number that took its place", personal=True),
        whole("confidence", "how sure, 0 to 100"),
    ),
)
