"""Waves are formed the same way every time; what stays out has its reason; a pilot is compared with its population."""

import random
from dataclasses import replace

import pytest

from integrationhub.arrears.book import Figures
from integrationhub.canonical.identifiers import derive
from integrationhub.catalogue import shipped_connectors
from integrationhub.migration.checking import load
from integrationhub.migration.cohort import Begun, Cohort, form, likeness, verdict_on
from integrationhub.migration.plan import Exclusion, Plan, Wave
from integrationhub.migration.positions import MOVED, STAYS, CasePosition, DebtPosition, Position

RICH = "SELECT group_id FROM case_groups WHERE rp_pence > 500"
SEGMENTS = ("1", "2", "3", "4", "ARREARS_ONLY")


def case(number: int, **changes: object) -> CasePosition:
    values: dict[str, object] = {
        "case_id": derive("case", number), "system": "CSCS", "host": "CSCS", "scheme": "1993", "kind": "1993",
        "effective": None, "outcome": "SOURCE", "causes": (), "relation": MOVED, "duplicate_of": None,
        "segment": "1", "uncollectable": False, "accepted": Figures(rp=100), "source_custodian": 0, "debts": (),
        "waits": False,
    }  # fmt: skip
    values |= changes
    if isinstance(values["accepted"], Figures) and "debts" not in changes:
        values["debts"] = (debt(number, values["accepted"].rp),)
    return CasePosition(**values)  # type: ignore[arg-type]


def debt(number: int, pence: int) -> DebtPosition:
    return DebtPosition(
        debt_id=derive("debt", number), owner="RECEIVING_PARENT", source=pence, source_suspended=0, recomputed=pence,
        accepted=pence, accepted_suspended=0, is_accepted=True, write_off="NONE",
    )  # fmt: skip


def group(number: int, *cases: CasePosition, segment: str | None = None) -> Position:
    return Position(
        group_id=derive("group", number), cases=cases or (case(number),), segment_frozen=False, members="", digest="",
        segment=segment or SEGMENTS[number % len(SEGMENTS)],
    )  # fmt: skip


@pytest.fixture
def plan() -> Plan:
    """The shipped plan over all schemes."""
    return load(shipped_connectors() / "migration" / "csa-all")[0]


def reasons(cohort: Cohort) -> dict[str, str]:
    return {item.group_id: item.code for item in cohort.excluded}


def names(cohort: Cohort) -> dict[str, list[str]]:
    return {wave: [member.group_id for member in members] for wave, members in cohort.waves.items()}


def test_every_group_is_in_one_wave_or_has_a_reason(plan: Plan) -> None:
    positions = [group(number) for number in range(200)]
    cohort = form(plan, positions, Begun())
    placed = [name for wave in names(cohort).values() for name in wave]

    assert sorted(placed) == sorted(position.group_id for position in positions)
    assert (len(cohort.waves["pilot"]), len(cohort.waves["main"]), len(cohort.waves["rest"])) == (10, 100, 90)
    assert (cohort.left, cohort.excluded) == ([], [])


def test_the_order_in_which_groups_come_changes_no_wave(plan: Plan) -> None:
    positions = [group(number) for number in range(100)]
    shuffled = random.Random(5).sample(positions, len(positions))  # noqa: S311 – a shuffle, no secret

    assert names(form(plan, shuffled, Begun())) == names(form(plan, positions, Begun()))


def test_a_wave_takes_segment_after_segment_and_a_pilot_all_of_them(plan: Plan) -> None:
    cohort = form(plan, [group(number) for number in range(200)], Begun())
    segments = [plan.segments.order.index(member.segment) for member in cohort.waves["main"]]

    assert segments == sorted(segments)
    assert {member.segment for member in cohort.waves["pilot"]} == set(SEGMENTS)
    assert "like the population" in verdict_on(likeness(cohort, "pilot"), groups=10)


def test_each_reason_to_stay_out_is_told(plan: Plan) -> None:
    narrow = plan.model_copy(update={
        "plan": plan.plan.model_copy(update={"schemes": ("1993",)}),
        "segments": plan.segments.model_copy(update={"order": ("1", "2", "3")}),
        "exclusion": (Exclusion(code="RICH", reason="too much", select=RICH),),
    })  # fmt: skip
    positions = {
        "MIXED_SCHEME": group(1, case(1), case(2, kind="2003"), segment="1"),
        "HELD": group(2, case(3, accepted=None, outcome="EXCEPTION", causes=("E10",)), segment="HELD"),
        "EVENTS_WAITING": group(3, case(4, waits=True), segment="1"),
        "NOTHING_TO_MOVE": group(4, case(5, relation=STAYS), segment="CLOSED"),
        "OTHER_SEGMENT": group(5, case(6), segment="5"),
        "OTHER_PLAN": group(6, case(7), segment="1"),
        "BALANCE_WITHOUT_DEBT": group(9, case(10, debts=()), segment="1"),
        "RICH": group(7, case(8, accepted=Figures(rp=501)), segment="1"),
    }
    foreign = group(8, case(9, kind="2003"), segment="1")
    begun = Begun(elsewhere={positions["OTHER_PLAN"].group_id})
    cohort = form(narrow, [*positions.values(), foreign], begun)

    assert reasons(cohort) == {position.group_id: code for code, position in positions.items()}
    assert cohort.members == {}
    assert next(item for item in cohort.excluded if item.code == "HELD").details == ("E10",)


def test_a_wave_that_was_approved_keeps_its_groups_and_takes_no_others(plan: Plan) -> None:
    positions = [group(number) for number in range(100)]
    before = names(form(plan, positions, Begun()))
    back = before["pilot"][:2]
    begun = Begun(waves={"pilot": before["pilot"]}, returned=back)
    after = names(form(plan, [*positions, *(group(number) for number in range(100, 120))], begun))

    assert after["pilot"] == back
    assert not set(before["pilot"]) & {*after["main"], *after["rest"]}


def test_a_group_whose_notice_was_printed_for_a_wave_stays_in_it(plan: Plan) -> None:
    positions = [group(number) for number in range(100)]
    before = names(form(plan, positions, Begun()))
    chosen = before["rest"][-1]
    after = names(form(plan, positions, Begun(printed={chosen: "pilot"})))

    assert chosen in after["pilot"]
    assert len(after["pilot"]) == len(before["pilot"])
    assert sum(map(len, after.values())) == 100


def test_an_unlike_pilot_is_called_so(plan: Plan) -> None:
    waves = (Wave(name="pilot", size=5, pilot=True, segments=("1",)), Wave(name="rest"))
    cohort = form(plan.model_copy(update={"wave": waves}), [group(number) for number in range(100)], Begun())

    assert "NOT like the population: segment 1 (100 % against 20 %)" in verdict_on(likeness(cohort, "pilot"), groups=5)
    assert verdict_on([], groups=0) == "the pilot is empty: it says nothing about the population"


def test_a_selection_narrows_a_wave(plan: Plan) -> None:
    select = "SELECT group_id FROM case_groups WHERE rp_pence >= 50"
    waves = (Wave(name="big", select=select), Wave(name="rest"))
    positions = [replace(group(number), cases=(case(number, accepted=Figures(rp=number)),)) for number in range(100)]
    cohort = form(plan.model_copy(update={"wave": waves}), positions, Begun())

    assert {member.row["rp_pence"] for member in cohort.waves["big"]} == set(range(50, 100))
    assert len(cohort.waves["rest"]) == 50
