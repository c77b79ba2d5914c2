"""The debt that a sound record describes, its flags, and its canonical fields (debt-manager.md §2, §5)."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from integrationhub.accounts.entries import Debt, Hold
from integrationhub.accounts.feeds.dms.checks import NO_CAUSE
from integrationhub.accounts.feeds.dms.record import (
    BREATHING_SPACE,
    DECEASED,
    FEED,
    LONGEST_BREATHING_SPACE,
    Record,
)
from integrationhub.accounts.unit import Unit

_FULL_FROM, _BASIC_FROM = date(2005, 8, 1), date(2012, 11, 1)
_FROM_POOREST = ("NOTES_ONLY", "BASIC", "FULL")
_DETAILS = (
    "title", "forenames", "dod", "sao", "pao", "street", "locality", "town", "administrative_area", "uprn",
    "address_from", "period_from", "period_to", "method", "rate_pence", "rate_frequency", "last_recovery", "office",
    "decision_date", "loan_ref", "loan_date", "ntc_ref", "tax_year_end",
)  # fmt: skip


def debt_of(unit: Unit, record: Record, held: Debt | None) -> Debt:
    """The debt as the record has it; holds that others set are kept."""
    assert unit.as_at is not None  # every extract has one
    others: Sequence[Hold] = () if held is None else [hold for hold in held.holds if hold.origin != FEED]
    identified = record["nino_status"] in {"VERIFIED", "UNVERIFIED"}
    details = {name: _plain(record[name]) for name in _DETAILS if record[name] is not None}
    details["evidence"] = evidence(record)
    if record.joint:
        severally = all(person.share == 0 for person in record.joint)
        details["joint_liability"] = "JOINT_AND_SEVERAL" if severally else "SHARED"
    if record["nino_status"] == "TEMPORARY":
        details["temporary_nino"] = record["nino"]
    return Debt(
        ref=record["ref"],
        source_system="DEBT_MANAGER",
        source_id=record["ref"],
        version=str(record["record_version"]),
        content=unit.content,
        status=record["status"],
        kind=record["debt_type"],
        benefit=record["benefit"],
        cause=None if record["cause"] == NO_CAUSE else record["cause"],
        original_pence=record["original_pence"],
        adjusted_pence=record["adjusted_pence"],
        recovered_pence=record["recovered_pence"],
        written_off_pence=record["written_off_pence"],
        source_balance_pence=record["source_balance_pence"],
        as_at=unit.as_at,
        nino=record["nino"] if identified else None,
        nino_status=record["nino_status"],
        surname=record["surname"],
        dob=record["dob"],
        postcode=record["postcode"],
        joint=record.joint,
        holds=(*record.holds, *others),
        details=details,
    )


def flags_of(record: Record, as_at: date) -> Iterator[str]:
    """What a person may want to know of a sound record."""
    holds = record.holds
    if record["source_balance_pence"] < 0:
        yield "OVER_RECOVERED"
    if record["dob_mark"] == "SENTINEL":
        yield "DOB_SENTINEL"
    if record["evidence"] not in {"DERIVE", _evidence_by_date(record["decision_date"])}:
        yield "EVIDENCE_MISMATCH"
    if any(_is_long(hold) for hold in holds):
        yield "HOLD_LONG"
    if record["dod"] is None and any(hold.code == DECEASED and hold.is_active(as_at) for hold in holds):
        yield "DECEASED_NO_DATE"


def evidence(record: Record) -> str:
    """How complete the evidence is: what the record says or the day of the decision, whichever is poorer."""
    by_date = _evidence_by_date(record["decision_date"])
    stated = record["evidence"]
    return by_date if stated == "DERIVE" else min(by_date, stated, key=_FROM_POOREST.index)


def canonical(debt: Debt) -> dict[str, Any]:
    """The fields that benefits-common.md §11 shows of a debt."""
    return {
        "type": "debt",
        "ref": debt.ref,
        "source_system": debt.source_system,
        "benefit": debt.benefit,
        "debt_type": debt.kind,
        "cause": debt.cause,
        "original_pence": debt.original_pence,
        "adjusted_pence": debt.adjusted_pence,
        "recovered_pence": debt.recovered_pence,
        "written_off_pence": debt.written_off_pence,
        "source_balance_pence": debt.source_balance_pence,
        "status": debt.status,
        "method": debt.details["method"],
        "rate_pence": debt.details["rate_pence"],
        "evidence": debt.details["evidence"],
        "holds": [_hold(hold) for hold in debt.holds],
        "joint_count": len(debt.joint),
        "joint_liability": debt.details.get("joint_liability"),
        "decision_date": debt.details.get("decision_date"),
        "nino": debt.nino,
        "temporary_nino": debt.details.get("temporary_nino"),
        "dob": _plain(debt.dob),
        "surname": debt.surname,
        "postcode": debt.postcode,
        "as_at": debt.as_at.isoformat(),
        "recovery_allowed": debt.recovery_allowed(debt.as_at),
    }


def _hold(hold: Hold) -> dict[str, Any]:
    return {"code": hold.code, "from": _plain(hold.start), "to": _plain(hold.end)}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a record holds
    return value.isoformat() if isinstance(value, date) else value


def _is_long(hold: Hold) -> bool:
    """A breathing space without an end, or longer than the law's 60 days."""
    if hold.code != BREATHING_SPACE:
        return False
    return hold.end is None or hold.end - hold.start > LONGEST_BREATHING_SPACE


def _evidence_by_date(decided: date | None) -> str:
    if decided is None or decided < _FULL_FROM:
        return "NOTES_ONLY"
    return "FULL" if decided < _BASIC_FROM else "BASIC"
