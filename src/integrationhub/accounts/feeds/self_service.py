"""Commands from online accounts (self-service.md). Key: the command's id, in lower case.

Units are of the form `account_commands`. Faults: TEXT_CONTROL_CHAR, DATE_INVALID.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrationhub.accounts.addresses import postcode
from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Note
from integrationhub.accounts.holds import dispute
from integrationhub.accounts.life import told
from integrationhub.accounts.nino import Worth, compact, worth
from integrationhub.accounts.once import once, seen_key
from integrationhub.accounts.people import ADDRESS, is_debtor, keep_version, owes, wants_person
from integrationhub.accounts.plans import Offer, propose
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.sdk.messages import Fate
from integrationhub.sdk.units import Options

ADDRESS_CHANGE = "address.change"
PLAN_OFFER = "plan.offer"
DISPUTE = "debt.dispute"

OLDEST = timedelta(seconds=300)
NEWEST = timedelta(seconds=60)
NONCES_KEPT = timedelta(hours=48)
FARTHEST = timedelta(days=31)
"""How long after the day of the command an address may take effect."""

_NEEDED: Mapping[str, tuple[int, bool]] = {ADDRESS_CHANGE: (2, True), PLAN_OFFER: (1, True), DISPUTE: (1, False)}
"""What vector of trust each command needs: identity level, and whether a second factor (Cm)."""

_ADDRESS = ("sao", "pao", "street", "locality", "town", "area")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfServiceJudge:
    """Judges commands one after the other. `synthetic`: test identities are usable."""

    synthetic: bool

    def wants(self, unit: Unit) -> Wanted:
        """See `Judge`."""
        ref, nino = unit.values["debt_ref"], compact(unit.values["nino"] or "")
        wanted = Wanted(
            debts=frozenset({ref} if ref else ()),
            notes=frozenset({seen_key(unit), _nonce_key(unit)}),
        )
        return wanted | wants_person(nino) if self._worth(unit) is not Worth.MALFORMED else wanted

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """See `Judge`."""
        verdict = once(unit, book, self._judge)
        if verdict.fate in {Fate.LOADED, Fate.EXCEPTION}:
            _keep_nonce(unit, book)
        return verdict

    def _judge(self, unit: Unit, book: Book) -> Verdict:
        checks: tuple[Callable[[Unit, Book], Verdict | None], ...] = (
            _is_replay, _is_in_time, _is_known, _is_trusted, _payload, _text, self._number, self._is_debtor,
        )  # fmt: skip
        found = next((verdict for check in checks if (verdict := check(unit, book)) is not None), None)
        return found or _EFFECTS[unit.values["command_type"]](unit, book)

    def _number(self, unit: Unit, _book: Book) -> Verdict | None:
        return Verdict.exception("NINO_FORMAT") if self._worth(unit) is Worth.MALFORMED else None

    def _is_debtor(self, unit: Unit, book: Book) -> Verdict | None:
        known = self._worth(unit) is Worth.USABLE and is_debtor(_nino(unit), book)
        return None if known else Verdict.excluded("NOT_A_DEBTOR")

    def _worth(self, unit: Unit) -> Worth:
        return worth(compact(unit.values["nino"] or ""), synthetic=self.synthetic)


def build(options: Options) -> SelfServiceJudge:
    """The judge of the feed."""
    return SelfServiceJudge(synthetic=options.synthetic_identities)


def _nino(unit: Unit) -> str:
    return compact(unit.values["nino"])


def _nonce_key(unit: Unit) -> tuple[str, str, str]:
    return (unit.feed, "nonce", unit.values["nonce"])


def _keep_nonce(unit: Unit, book: Book) -> None:
    feed, kind, key = _nonce_key(unit)
    book.keep(Note(feed=feed, kind=kind, key=key, value={"command": unit.key, "at": unit.at.isoformat()}))


def _is_replay(unit: Unit, book: Book) -> Verdict | None:
    """Whether another command used the nonce in the last 48 hours."""
    note = book.note(*_nonce_key(unit))
    if note is None or note.value["command"] == unit.key:
        return None
    is_kept = unit.at - datetime.fromisoformat(note.value["at"]) <= NONCES_KEPT
    return Verdict.rejected("REPLAY") if is_kept else None


def _is_in_time(unit: Unit, _book: Book) -> Verdict | None:
    age = unit.at - datetime.fromisoformat(unit.values["issued_at"])
    if age > OLDEST:
        return Verdict.rejected("STALE_COMMAND")
    return Verdict.rejected("FUTURE_COMMAND") if -age > NEWEST else None


def _is_known(unit: Unit, _book: Book) -> Verdict | None:
    if unit.values["command_type"] not in _NEEDED:
        return Verdict.exception("UNKNOWN_CODE")
    return None if unit.values["schema_version"] == 1 else Verdict.exception("UNSUPPORTED_VERSION")


def _is_trusted(unit: Unit, _book: Book) -> Verdict | None:
    levels = (unit.values["vot"] or "").split(".")
    identity = min((int(level[1]) for level in levels if level in {"P0", "P1", "P2", "P3"}), default=0)
    level, second_factor = _NEEDED[unit.values["command_type"]]
    trusted = identity >= level and ("Cm" in levels or not second_factor)
    return None if trusted else Verdict.exception("IDENTITY_TOO_LOW")


def _payload(unit: Unit, _book: Book) -> Verdict | None:
    return None if unit.values["payload_fits"] else Verdict.exception("PAYLOAD_INVALID")


def _text(unit: Unit, _book: Book) -> Verdict | None:
    return Verdict.exception("TEXT_CONTROL_CHAR") if "TEXT_CONTROL_CHAR" in unit.faults else None


def _own_debt(unit: Unit, book: Book) -> Debt | Verdict:
    debt = book.debt(unit.values["debt_ref"] or "")
    if debt is None:
        return Verdict.exception("DEBT_UNKNOWN")
    return debt if owes(_nino(unit), debt, book) else Verdict.exception("NOT_DEBTOR")


def _change_address(unit: Unit, book: Book) -> Verdict:
    values, code = unit.values, postcode(unit.values["postcode"] or "")
    if code is None:
        return Verdict.exception("ADDRESS_INVALID")
    day = values["effective_date"]
    if day is None or day > unit.at.date() + FARTHEST:
        return Verdict.exception("DATE_INVALID")
    address = {name: values[name] for name in (*_ADDRESS, "uprn")} | {"postcode": code}
    keep_version(ADDRESS, _nino(unit), day, address, feed=unit.feed, book=book)
    canonical = {"kind": "ADDRESS_CHANGED", "effective_date": day.isoformat(), "postcode": code}
    return told(unit, canonical, book)


def _offer(unit: Unit, book: Book) -> Verdict:
    debt = _own_debt(unit, book)
    if isinstance(debt, Verdict):
        return debt
    offer = Offer(
        day=unit.at.date(),
        instalment_pence=unit.values["instalment_pence"],
        frequency=unit.values["frequency"],
        first_date=unit.values["first_date"],
        first_date_ok=unit.values["first_date"] is not None,
    )
    return propose(offer, debt, unit, book)


def _dispute(unit: Unit, book: Book) -> Verdict:
    debt = _own_debt(unit, book)
    return debt if isinstance(debt, Verdict) else dispute(debt, unit.at.date(), unit.feed, book)


_EFFECTS: Mapping[str, Callable[[Unit, Book], Verdict]] = {
    ADDRESS_CHANGE: _change_address, PLAN_OFFER: _offer, DISPUTE: _dispute,
}  # fmt: skip
