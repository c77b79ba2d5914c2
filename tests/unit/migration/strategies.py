"""Notices as hypothesis makes them: any case, any amounts that the layouts hold."""

from datetime import date
from typing import Literal

from hypothesis import strategies as st

from integrationhub.migration.handover.notices import OWNERS, Action, FileHead, Kind, Notice, NoticeDebt

AMOUNT = 99_999_999_999
DAYS = st.dates(date(1993, 4, 5), date(2099, 12, 31))


@st.composite
def notices(draw: st.DrawFn, *, cs2: bool = False, answered: bool = False) -> list[Notice]:
    """Up to six notices in the order of their case references."""
    pattern = r"QQ[0-9]{6}[A-D]/[0-9]{2}" if cs2 else r"10[0-9]{8}"
    refs = sorted(draw(st.sets(st.from_regex(pattern, fullmatch=True), max_size=6)))
    return [draw(_notice(ref, 1 + place, cs2=cs2, answered=answered)) for place, ref in enumerate(refs)]


@st.composite
def _notice(draw: st.DrawFn, ref: str, number: int, *, cs2: bool, answered: bool) -> Notice:
    action = draw(st.sampled_from(Action))
    closing = action is Action.CLOSE
    signed = st.integers(-AMOUNT, AMOUNT) if closing else st.just(0)
    owners = sorted(draw(st.sets(st.sampled_from(OWNERS))))
    status: Literal["A", "J"] | None = draw(st.sampled_from(("A", "J"))) if answered else None
    return Notice(
        notice_id=number,
        action=action,
        case_ref=ref,
        source_group=None if cs2 else draw(st.integers(1, 999_999_999)),
        target_ref=draw(st.from_regex(r"121[0-9]{9}", fullmatch=True)) if closing else None,
        custodian=draw(signed),
        effective=draw(DAYS),
        debts=tuple(NoticeDebt(owner=owner, outstanding=draw(signed), suspended=abs(draw(signed))) for owner in owners),
        status=status,
        reason=draw(st.sampled_from(("U", "B", "S"))) if status == "J" else None,
    )


heads = st.builds(FileHead, sequence=st.integers(1, 999_999), created=DAYS, kind=st.sampled_from(Kind))
