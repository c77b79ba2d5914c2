"""Deaths, bereavements, changes of name and address, births, as registers tell them (life-events.md). Key: the
event's id.

Units are of the form `life_events`; `as_at` is the day on which their file was made. Faults: TEXT_CONTROL_CHAR,
DATE_INVALID.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from integrationhub.accounts.book import Book, letters
from integrationhub.accounts.entries import Debt, Hold
from integrationhub.accounts.holds import DECEASED, end_holds, set_hold
from integrationhub.accounts.life import told
from integrationhub.accounts.nino import Worth, compact, worth
from integrationhub.accounts.once import once, seen_key
from integrationhub.accounts.people import (
    ADDRESS,
    DEATH,
    LIFE_EVENTS,
    NAME,
    PEOPLE,
    is_debtor,
    keep_person_note,
    keep_version,
    person_note,
    surnames,
    wants_person,
)
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.sdk.units import Options

NOTIFY, RETRACT = "NOTIFY", "RETRACT"
VERIFIED = "VERIFIED"
FARTHEST = timedelta(days=31)
"""How long after its file was made an event may take effect; a death may not be later than that day."""

_DETAILS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "DEATH": (),
    "BEREAVEMENT": (("deceased_nino",), ("deceased_date",)),
    "NAME_CHANGE": (("new_surname",),),
    "ADDRESS_CHANGE": (("new_postcode",), ("pao", "sao")),
    "BIRTH": (("child_dob",), ("child_surname",), ("child_forenames",)),
}
"""The details that each type needs: of each group at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeEventsJudge:
    """Judges events one after the other. `synthetic`: test identities are usable."""

    synthetic: bool

    def wants(self, unit: Unit) -> Wanted:
        """See `Judge`."""
        wanted = Wanted(notes=frozenset({seen_key(unit)}))
        nino = self._nino(unit)
        if nino is not None:
            wanted |= wants_person(nino) | Wanted(notes=frozenset({(PEOPLE, unit.kind, nino[:8])}))
        deceased = compact(unit.values["deceased_nino"] or "")
        return wanted | (Wanted(ninos=frozenset({deceased[:8]})) if deceased else Wanted())

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """See `Judge`."""
        return once(unit, book, self._judge)

    def _judge(self, unit: Unit, book: Book) -> Verdict:
        reason = next((code for code, is_broken in _CHECKS if is_broken(unit)), None) or self._number(unit)
        if reason is not None:
            return Verdict.exception(reason)
        nino = self._nino(unit)
        stranger = _stranger(unit, book) if nino is None else _other_person(unit, nino, book)
        if stranger is not None:
            return stranger
        assert nino is not None  # without a number nobody is certainly meant
        if not all(any(unit.values[name] for name in names) for names in _DETAILS[unit.kind]):
            return Verdict.exception("DETAIL_MISSING")
        flags = _flags(unit, nino, book)
        if unit.values["action"] == RETRACT:
            return _retract(unit, nino, flags, book)
        return _EFFECTS[unit.kind](unit, nino, flags, book)

    def _number(self, unit: Unit) -> str | None:
        given = compact(unit.values["nino"] or "")
        return "NINO_FORMAT" if given and worth(given, synthetic=self.synthetic) is Worth.MALFORMED else None

    def _nino(self, unit: Unit) -> str | None:
        """The person's number; a temporary one counts as not given."""
        given = compact(unit.values["nino"] or "")
        return given if worth(given, synthetic=self.synthetic) is Worth.USABLE else None


def build(options: Options) -> LifeEventsJudge:
    """The judge of the feed."""
    return LifeEventsJudge(synthetic=options.synthetic_identities)


def _is_unknown(unit: Unit) -> bool:
    values = unit.values
    return (
        unit.kind not in _DETAILS
        or values["action"] not in {NOTIFY, RETRACT}
        or values["status"] not in {VERIFIED, "NOTIFIED"}
    )


def _is_never(unit: Unit) -> bool:
    """Whether a date of the event can't be."""
    effective, born, made = unit.values["effective"], unit.values["dob"], unit.as_at
    if "DATE_INVALID" in unit.faults or effective is None:
        return True
    latest = None if made is None else made + (timedelta() if unit.kind == "DEATH" else FARTHEST)
    return (latest is not None and effective > latest) or (born is not None and effective < born)


_CHECKS: tuple[tuple[str, Callable[[Unit], bool]], ...] = (
    ("UNKNOWN_CODE", _is_unknown),
    ("TEXT_CONTROL_CHAR", lambda unit: "TEXT_CONTROL_CHAR" in unit.faults),
    ("DATE_INVALID", _is_never),
)


def _other_person(unit: Unit, nino: str, book: Book) -> Verdict | None:
    """A verdict where the event is about nobody, or perhaps another than the number says."""
    if not is_debtor(nino, book):
        return Verdict.excluded("NOT_A_DEBTOR")
    born = {debt.dob for debt in book.debts_of(nino) if debt.dob is not None}
    if unit.values["dob"] is None or not born or unit.values["dob"] in born:
        return None
    same_name = letters(unit.values["surname"] or "") in surnames(nino, book)
    return Verdict.exception("DOB_CONFLICT" if same_name else "IDENTITY_CONFLICT")


def _stranger(unit: Unit, book: Book) -> Verdict:
    """Without a number: a person must look where name, birth date and postcode are a debtor's."""
    surname, born, postcode = (unit.values[name] for name in ("surname", "dob", "postcode"))
    if not surname or born is None or not postcode:
        return Verdict.excluded("NOT_A_DEBTOR")
    alike = (debt for debt in book.debts_of_person(surname, born) if debt.nino is not None)
    weak = any(_compact(debt.postcode) == _compact(postcode) for debt in alike)
    return Verdict.exception("IDENTITY_WEAK") if weak else Verdict.excluded("NOT_A_DEBTOR")


def _compact(postcode: str | None) -> str:
    return "".join((postcode or "").split()).upper()


def _flags(unit: Unit, nino: str, book: Book) -> list[str]:
    known = surnames(nino, book)
    found = {
        "SURNAME_DIFFERS": bool(known) and letters(unit.values["surname"] or "") not in known,
        "JOINT_DEBTOR": bool(book.joint_debts_of(nino)),
        "DOB_SENTINEL": unit.values["dob_mark"] == "SENTINEL",
    }
    return [flag for flag, holds in found.items() if holds]


def _told(unit: Unit, nino: str, kind: str, flags: list[str], book: Book, **shown: object) -> Verdict:
    canonical: dict[str, Any] = {
        "kind": kind,
        "status": unit.values["status"],
        "effective_date": unit.values["effective"].isoformat(),
        "nino": nino,
        **shown,
    }
    return told(unit, canonical, book, *flags)


def _retract(unit: Unit, nino: str, flags: list[str], book: Book) -> Verdict:
    held = person_note(DEATH if unit.kind == "DEATH" else unit.kind, nino, book)
    if held is None or held.get("retracted"):
        return Verdict.exception("RETRACT_UNKNOWN")
    if unit.kind == "DEATH":
        keep_person_note(DEATH, nino, {"retracted": True}, book)
        for debt in book.debts_of(nino):
            end_holds(debt, _is_ours, book)
    return _told(unit, nino, f"{unit.kind}_RETRACTED", flags, book)


def _is_ours(hold: Hold) -> bool:
    """Whether a death that an event told of set the hold."""
    return hold.code == DECEASED and hold.origin == LIFE_EVENTS


def _death(unit: Unit, nino: str, flags: list[str], book: Book) -> Verdict:
    """A verified death stands; a notified one gives way to whatever is told later."""
    day, debts = unit.values["effective"], book.debts_of(nino)
    held = person_note(DEATH, nino, book)
    stands = held is not None and held.get("status") == VERIFIED
    if stands:
        assert held is not None
        if held["date"] != day.isoformat():
            return Verdict.exception("DEATH_DATE_CONFLICT")
        flags = [*flags, "ALREADY_KNOWN"]
    else:
        keep_person_note(DEATH, nino, {"status": unit.values["status"], "date": day.isoformat()}, book)
        for debt in debts:
            _hold_from(debt, day, unit.feed, book)
    return _told(unit, nino, "DEATH", flags, book, holds_set=sum(debt.is_open for debt in debts))


def _hold_from(debt: Debt, day: date, origin: str, book: Book) -> None:
    """Hold the debt for the death on that day, in place of an earlier hold for it."""
    hold = Hold(code=DECEASED, start=day, end=None, origin=origin)
    if hold in debt.holds:
        return
    end_holds(debt, _is_ours, book)
    held = book.debt(debt.ref)
    assert held is not None
    set_hold(held, hold, book)


def _bereavement(unit: Unit, nino: str, flags: list[str], book: Book) -> Verdict:
    deceased = book.debts_of(compact(unit.values["deceased_nino"]))
    return _evidence(unit, nino, [*flags, *(["DECEASED_IS_DEBTOR"] if deceased else [])], book)


def _name_change(unit: Unit, nino: str, flags: list[str], book: Book) -> Verdict:
    names = {name: unit.values[f"new_{name}"] for name in ("surname", "forenames", "title")}
    is_new = keep_version(NAME, nino, unit.values["effective"], names, feed=unit.feed, book=book)
    return _evidence(unit, nino, flags if is_new else [*flags, "HISTORIC"], book)


def _address_change(unit: Unit, nino: str, flags: list[str], book: Book) -> Verdict:
    address = {name: unit.values[name] for name in ("sao", "pao", "street", "locality", "town", "area")}
    address["postcode"] = unit.values["new_postcode"]
    is_new = keep_version(ADDRESS, nino, unit.values["effective"], address, feed=unit.feed, book=book)
    return _evidence(unit, nino, flags if is_new else [*flags, "HISTORIC"], book)


def _evidence(unit: Unit, nino: str, flags: list[str], book: Book) -> Verdict:
    """An event of this type for the person was loaded, which may be retracted later."""
    keep_person_note(unit.kind, nino, {"event": unit.key}, book)
    return _told(unit, nino, unit.kind, flags, book)


_EFFECTS: Mapping[str, Callable[[Unit, str, list[str], Book], Verdict]] = {
    "DEATH": _death, "BEREAVEMENT": _bereavement, "NAME_CHANGE": _name_change, "ADDRESS_CHANGE": _address_change,
    "BIRTH": _evidence,
}  # fmt: skip
