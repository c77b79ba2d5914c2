"""Seals of ledger entries: what changes them, and what doesn't."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from integrationhub.canonical.frames import schema
from integrationhub.canonical.model import ENTITIES, LEDGER_CONTENT
from integrationhub.store import seal

SHAPE = schema(ENTITIES["ledger"])
LINE: dict[str, Any] = {
    "group_id": "g",
    "debt_id": "d",
    "case_id": "c",
    "source_case_ref": "1000000001",
    "line_no": 1,
    "kind": "LIABILITY",
    "owner": "RECEIVING_PARENT",
    "pence": 5,
    "suspended_pence": 0,
    "stored_pence": 5,
    "posted": date(2014, 1, 1),
    "source_system": "CSCS",
    "source_ref": "1000000001/1",
    "delivery_id": "x",
    "record_no": 3,
    "byte_offset": 100,
    "mapping_id": "m",
    "version": 7,
}


def _sealed(*lines: dict[str, Any]) -> pl.DataFrame:
    return seal.seal(pl.DataFrame([{**LINE, **line} for line in lines], schema=SHAPE))


def _other(name: str) -> object:
    return {pl.String(): "other", pl.Int64(): 99, pl.Date(): date(1999, 9, 9)}[SHAPE[name]]


@pytest.mark.parametrize("name", LEDGER_CONTENT)
def test_the_digest_covers_every_content_column(name: str) -> None:
    assert _sealed({})["digest"][0] != _sealed({name: _other(name)})["digest"][0]


@pytest.mark.parametrize("name", seal.ORIGIN)
def test_the_identifier_covers_the_origin_which_the_digest_leaves_out(name: str) -> None:
    plain, moved = _sealed({}), _sealed({name: _other(name)})
    assert plain["digest"][0] == moved["digest"][0]
    assert plain["entry_id"][0] != moved["entry_id"][0]


def test_every_ledger_column_is_covered_by_one_of_the_seals() -> None:
    sealed = {*LEDGER_CONTENT, *seal.ORIGIN, "entry_id", "digest"}
    assert {*ENTITIES["ledger"].names()} - sealed == {"cancels_entry_id"}


def test_null_and_the_empty_string_are_different_content() -> None:
    assert _sealed({"text": None})["digest"][0] != _sealed({"text": ""})["digest"][0]


def test_a_value_that_moved_to_the_next_column_is_different_content() -> None:
    assert _sealed({"reason": "a", "authority": None})["digest"][0] != _sealed({"authority": "a"})["digest"][0]


def test_identical_lines_get_digests_of_their_own_in_file_order() -> None:
    alike = _sealed({"version": 7}, {"version": 8}, {"version": 9, "line_no": 2})
    assert alike["digest"].n_unique() == 3
    assert alike["digest"][0] == _sealed({})["digest"][0]
    assert alike["digest"][1] == seal.digests(alike, occurrence=2)[1]


def test_a_line_without_a_case_belongs_to_its_group() -> None:
    here = _sealed({"case_id": None, "debt_id": None})
    there = _sealed({"case_id": None, "debt_id": None, "group_id": "other"})
    assert here["digest"][0] != there["digest"][0]


def test_sealing_replaces_what_the_frame_said() -> None:
    claimed = _sealed({"entry_id": "mine", "digest": "mine"})
    assert claimed.select("entry_id", "digest").equals(_sealed({}).select("entry_id", "digest"))


def test_an_empty_frame_stays_empty() -> None:
    assert seal.seal(pl.DataFrame(schema=SHAPE)).is_empty()
