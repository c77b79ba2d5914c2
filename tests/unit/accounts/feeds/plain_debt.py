"""A debt with nothing particular about it."""

from datetime import date

from integrationhub.accounts.entries import Debt


def plain_debt(ref: str, **given: object) -> Debt:
    """100 pounds owed as at 1 March 2026."""
    values: dict[str, object] = {
        "source_system": "DEBT_MANAGER", "source_id": ref, "version": "1", "content": "", "status": "ACTIVE",
        "kind": "OVERPAYMENT", "benefit": "IS", "cause": "FRAUD", "original_pence": 10000, "adjusted_pence": 0,
        "recovered_pence": 0, "written_off_pence": 0, "source_balance_pence": 10000, "as_at": date(2026, 3, 1),
        "nino": None, "nino_status": None, "surname": "Testcase", "dob": date(1970, 1, 1), "postcode": "ZZ1 1AA",
    }  # fmt: skip
    return Debt(ref=ref, **{**values, **given})  # type: ignore[arg-type]
