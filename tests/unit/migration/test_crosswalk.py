import io
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from integrationhub.errors import InvariantBroken
from integrationhub.migration.handover.crosswalk import CrosswalkRow, name_of, write_crosswalk
from integrationhub.migration.handover.outgoing import hand_out

MOVED = CrosswalkRow(
    phase="pilot",
    case_group="g1",
    scheme="1993",
    source_ref="1000000001",
    target_ref="121000000005",
    relation="MOVED",
    accepted_outcome="RECOMPUTED",
    causes=("E05", "E13"),
    rp_outstanding=-5,
    custodian=10,
    accepted_on=date(2015, 7, 2),
)


def test_a_crosswalk_is_the_documents_csv() -> None:
    target = io.BytesIO()
    assert write_crosswalk(target, [MOVED]) == 1
    assert target.getvalue().decode() == (
        "phase,case_group,scheme,source_ref,target_ref,relation,accepted_outcome,causes,rp_outstanding,rp_suspended,"
        "sos_outstanding,sos_suspended,custodian,accepted_on\n"
        "pilot,g1,1993,1000000001,121000000005,MOVED,RECOMPUTED,E05;E13,-5,0,0,0,10,2015-07-02\n"
    )


def test_a_case_stands_in_a_crosswalk_once() -> None:
    with pytest.raises(InvariantBroken, match="twice"):
        write_crosswalk(io.BytesIO(), [MOVED, MOVED])


def test_a_handed_out_file_has_a_trigger_file_that_describes_it(tmp_path: Path) -> None:
    name = name_of(date(2015, 7, 2), 1)
    for _ in range(2):  # again is harmless
        handed = hand_out(
            tmp_path,
            name,
            lambda target: write_crosswalk(target, [MOVED]),
            sequence=1,
            as_at=date(2015, 7, 2),
            suffix=".csv",
        )
    content = (tmp_path / name).read_bytes()
    assert handed.sha256 == sha256(content).hexdigest()
    assert (tmp_path / "CROSSWALK_20150702_000001.ctl").read_text() == (
        f"FILE={name}\nBYTES={len(content)}\nRECORDS=1\nSHA256={handed.sha256}\nSEQUENCE=1\nASAT=2015-07-02\n"
    )
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".ctl"}
