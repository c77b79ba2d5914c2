"""Cases of the 2003 scheme are judged again when a file changes them, and what belongs to them is judged with them."""

import json
import re
from itertools import pairwise
from pathlib import Path

from integrationhub.bootstrap import Hub
from tests.unit.csa2003.conftest import Ask, Take
from tests.unit.csa2003.extracts import XML, pack
from tests.unit.csa2003.test_books import A, B, correction, two_cases


def test_an_orphan_receipt_holds_every_case_of_its_payer(tmp_path: Path, hub: Hub, take: Take, ask: Ask) -> None:
    take(two_cases(tmp_path))
    hub.judge_waiting()

    verdicts = ask("SELECT c.source_ref, v.outcome, v.causes FROM verdicts v JOIN cases c USING (case_id) ORDER BY 1")
    assert [(ref, outcome) for ref, outcome, _ in verdicts] == [(A, "EXCEPTION"), (B, "EXCEPTION")]
    assert all("E10" in causes for _, _, causes in verdicts)


def test_a_correction_is_judged_with_its_figures(tmp_path: Path, hub: Hub, take: Take, ask: Ask) -> None:
    take(two_cases(tmp_path))
    hub.judge_waiting()
    take(correction(tmp_path))
    assert hub.judging().run().cases == 2

    sources = ask("SELECT c.source_ref, v.source_rp FROM verdicts v JOIN cases c USING (case_id) ORDER BY 1")
    assert sources == [(A, -1100), (B, -2000)]
    assert ask("SELECT count(DISTINCT case_group_id) FROM verdicts") == [(1,)]


def test_judging_twice_finds_nothing_the_second_time(tmp_path: Path, hub: Hub, take: Take) -> None:
    take(two_cases(tmp_path))
    hub.judge_waiting()

    assert hub.judging().run().cases == 0


def test_an_assessment_without_a_first_day_still_closes_the_gap_before_the_next(
    tmp_path: Path, hub: Hub, take: Take, ask: Ask
) -> None:
    """Assessments are in no promised order; one whose first day is not known has its place by its last (E05 c)."""
    rows = re.findall(r'<Assessment id="[^"]+" caseRef="([^"]+)" from="([^"]+)" to="([^"]+)"', XML)
    case, first, _ = next(b for a, b in pairwise(rows) if a[0] == b[0] and a[2] == b[1])
    spoilt = XML.replace(f'caseRef="{case}" from="{first}"', f'caseRef="{case}" from="1900-01-01"', 1)
    assert spoilt != XML
    take(pack(tmp_path, spoilt))
    hub.judge_waiting()

    causes = dict(ask("SELECT c.source_ref, v.causes FROM verdicts v JOIN cases c USING (case_id)"))
    assert json.loads(causes[case]) == ["E06"]
