"""What unit forms are declared with.

FORMS = (
    form("debt_records", "A record of the extract", code("action", "what it does", ("I", "C", "D")), *day("dob", "…")),
    form("debt_holds", "A hold of a record", text("code", "…"), part_of="debt_records"),
)
"""

from integrationhub.canonical.model import Entity, Field, Type

CONTENT = Field(name="content", type=Type.TEXT, title="digest of what makes two units the same, where records have one")
KIND = Field(name="kind", type=Type.TEXT, title="what the unit is in its source's terms; without one, the form's name")


def form(name: str, title: str, *fields: Field, part_of: str | None = None) -> Entity:
    """A unit form. Rows of a form that is `part_of` another are a tuple in `values` of the unit with their record
    number, under the form's name, in file order; the others are units, with `content` and `kind` beside their fields.
    """
    own = fields if part_of else (*fields, CONTENT, *(() if any(item.name == "kind" for item in fields) else (KIND,)))
    return Entity(name=name, title=title, key="source_ref", fields=own, group_scoped=False, unit=True, part_of=part_of)


def text(name: str, title: str, *, personal: bool = False) -> Field:
    """Text as the source has it."""
    return Field(name=name, type=Type.TEXT, title=title, personal=personal)


def code(name: str, title: str, codes: tuple[str, ...] = ()) -> Field:
    """A code; `codes` closes it."""
    return Field(name=name, type=Type.CODE, title=title, codes=codes)


def whole(name: str, title: str) -> Field:
    """A whole number."""
    return Field(name=name, type=Type.INT, title=title)


def pence(name: str, title: str) -> Field:
    """Signed integer pence."""
    return Field(name=name, type=Type.PENCE, title=title)


def yes_no(name: str, title: str) -> Field:
    """True or false."""
    return Field(name=name, type=Type.BOOL, title=title)


def day(name: str, title: str, *, personal: bool = False, marked: bool = False) -> tuple[Field, ...]:
    """A date; with `marked` also `<name>_mark`, why it is empty, for date rules with placeholders."""
    mark = Field(name=f"{name}_mark", type=Type.CODE, title=f"why {name} is empty")
    return (Field(name=name, type=Type.DATE, title=title, personal=personal), *((mark,) if marked else ()))
