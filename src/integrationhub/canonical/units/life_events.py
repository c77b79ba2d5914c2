"""The unit form of life events."""

from integrationhub.canonical.units.form import day, form, text

FORMS = (
    form(
        "life_events",
        "What a register told of a person's life",
        text("action", "NOTIFY or RETRACT"),
        text("status", "VERIFIED or NOTIFIED"),
        *day("effective", "day on which it happened", marked=True),
        text("nino", "the person's National Insurance number, as it came", personal=True),
        *day("dob", "birth date", personal=True, marked=True),
        text("surname", "surname", personal=True),
        text("forenames", "forenames", personal=True),
        text("postcode", "postcode", personal=True),
        text("deceased_nino", "bereavement: number of who died", personal=True),
        *day("deceased_date", "bereavement: day of death", marked=True),
        text("new_surname", "change of name: surname", personal=True),
        text("new_forenames", "change of name: forenames", personal=True),
        text("new_title", "change of name: title", personal=True),
        text("sao", "change of address: flat", personal=True),
        text("pao", "change of address: house", personal=True),
        text("street", "change of address: street", personal=True),
        text("locality", "change of address: locality", personal=True),
        text("town", "change of address: town", personal=True),
        text("area", "change of address: administrative area", personal=True),
        text("new_postcode", "change of address: postcode", personal=True),
        *day("child_dob", "birth: the child's birth date", personal=True, marked=True),
        text("child_surname", "birth: the child's surname", personal=True),
        text("child_forenames", "birth: the child's forenames", personal=True),
    ),
)
