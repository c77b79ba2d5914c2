"""The public sample, read by the simple reader: what the documents say of sound cases holds there."""

import json
from pathlib import Path

from integrationhub.schemes import csa1993
from tests.unit.estate.simple_reader import Case, check_controls, ledger_sums


def _sound(truth: dict[str, dict[str, object]], key: str) -> bool:
    return truth[key]["outcome"] == "SOURCE" and bool(truth[key]["source_right"])


def test_the_ledgers_of_sound_sample_cases_come_to_their_headers(sample_folder: Path) -> None:
    extract = check_controls(next(sample_folder.glob("*.dat")))
    truth = json.loads((sample_folder / "expected.json").read_text("utf-8"))["cases"]
    sound = [case for case in extract.cases.values() if _sound(truth, f"93:{case.ref}")]

    assert len(sound) > 40
    for case in sound:
        assert ledger_sums(case.lines) == case.header == truth[f"93:{case.ref}"]["source"]


def test_the_scheme_s_balances_agree_with_the_simple_reader_on_every_sample_case(sample_folder: Path) -> None:
    extract = check_controls(next(sample_folder.glob("*.dat")))

    for case in extract.cases.values():
        assert _scheme_sums(case) == ledger_sums(case.lines)


def _scheme_sums(case: Case) -> dict[str, int]:
    lines = [
        csa1993.Line(
            seq=line.seq, kind=line.kind, owner=line.owner, pence=line.amount, reason=line.reason, held=line.held,
            reverses=line.reverses or None,
        )
        for line in case.lines
    ]  # fmt: skip
    total = csa1993.balances(lines)
    names = ("rp", "sos", "unk", "susp_rp", "susp_sos", "custodian")
    return {name: getattr(total, name) for name in names}
