"""The 1993 extract, by its copybook: the public sample against the figures published with it, and records made here."""

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.decode.decoder import RecordDecoder
from integrationhub.decode.encode import RecordEncoder, frame_u32
from integrationhub.decode.framing import Frames, Framing
from integrationhub.decode.numbers import Block
from integrationhub.records import LOW_VALUES, DecodedBatch

CONTROL = {
    "CSX-HEADER": 1, "CSX-GROUP": 55, "CSX-CASE": 79, "CSX-PARTY-ROLE": 330, "CSX-ADDRESS": 351, "CSX-ASSESSMENT": 79,
    "CSX-LEDGER": 1091, "CSX-HISTORY": 54, "CSX-TRAILER": 1,
}  # fmt: skip


def decode(
    decoder: RecordDecoder, framing: Framing, *bodies: bytes, first_record: int = 1, base: int = 0
) -> DecodedBatch:
    buffer = np.frombuffer(frame_u32(bodies), np.uint8)
    frames = framing.scan(buffer, 0, final=True)
    return decoder.decode(buffer, frames.starts, frames.lengths, first_record=first_record, base=base)


def total(batch: DecodedBatch, table: str, column: str) -> int:
    return int(pc.sum(batch.tables[table][column]).as_py())


@pytest.fixture(scope="module")
def whole(extract_decoder: RecordDecoder, sample: Block, sample_frames: Frames) -> DecodedBatch:
    return extract_decoder.decode(sample, sample_frames.starts, sample_frames.lengths)


def test_the_sample_holds_the_records_its_control_figures_say(
    whole: DecodedBatch, extract_decoder: RecordDecoder, sample: Block, sample_frames: Frames
) -> None:
    assert sample_frames.fault is None
    assert {name: whole.tables[name].num_rows for name in CONTROL} == CONTROL
    types = extract_decoder.record_types_of(sample, sample_frames.starts, sample_frames.lengths)
    assert Counter(extract_decoder.record_names[code] for code in types.tolist()) == CONTROL
    assert not len(whole.faults)


def test_the_sample_adds_up_to_its_control_totals(whole: DecodedBatch) -> None:
    trailer = whole.tables["CSX-TRAILER"].to_pylist()[0]
    assert total(whole, "CSX-CASE", "C-BAL-RP") == trailer["T-BAL-RP"] == 146108417
    assert total(whole, "CSX-CASE", "C-BAL-SOS") == trailer["T-BAL-SOS"] == 72882
    assert total(whole, "CSX-CASE", "C-BAL-UNK") == trailer["T-BAL-UNK"] == 4646175
    suspended = total(whole, "CSX-CASE", "C-SUSP-RP") + total(whole, "CSX-CASE", "C-SUSP-SOS")
    assert suspended == trailer["T-SUSPENDED"] == 21819
    assert total(whole, "CSX-CASE", "C-CUST-CASH") == trailer["T-CUSTODIAN"] == 6645003
    assert total(whole, "CSX-LEDGER", "L-AMOUNT") == trailer["T-LEDGER-HASH"] == 328369109


def test_every_record_of_the_sample_is_as_long_as_its_type_and_counts_say(
    extract_decoder: RecordDecoder, sample: Block, sample_frames: Frames
) -> None:
    assert extract_decoder.length_check(sample, sample_frames.starts, sample_frames.lengths).holds


def test_the_sample_encodes_to_the_bytes_it_was_decoded_from(
    whole: DecodedBatch, extract_encoder: RecordEncoder, sample: Block
) -> None:
    below = {
        "CSX-CASE": "C-BENEFIT", "CSX-ADDRESS": "A-LINE", "CSX-ASSESSMENT": "M-ROW", "CSX-TRAILER": "T-ENTRY",
    }  # fmt: skip
    children = {name: pl.DataFrame(whole.tables[name]).partition_by("_record", as_dict=True) for name in below.values()}
    grandchildren = pl.DataFrame(whole.tables["M-CHILD"]).partition_by("_record", "_parent_index", as_dict=True)
    bodies = {}
    for name in CONTROL:
        for row in whole.tables[name].to_pylist():
            record = row["_record"]
            values = fields(row)
            if name in below:
                found = children[below[name]].get((record,))
                values[below[name]] = [fields(child) for child in found.to_dicts()] if found is not None else []
                for place, child in enumerate(values[below[name]] if name == "CSX-ASSESSMENT" else []):
                    child["M-CHILD"] = [fields(kid) for kid in grandchildren[record, place + 1].to_dicts()]
            bodies[record] = extract_encoder.encode(name, values)
    assert frame_u32(bodies[record] for record in sorted(bodies)) == sample.tobytes()


def fields(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not key.startswith("_")}


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 2041), max_size=8))
def test_slices_decoded_alone_equal_the_whole(
    cuts: list[int], whole: DecodedBatch, extract_decoder: RecordDecoder, sample: Block, sample_frames: Frames
) -> None:
    bounds = [0, *sorted(cuts), len(sample_frames.starts)]
    parts = []
    for low, high in pairwise(bounds):
        starts, lengths = sample_frames.starts[low:high], sample_frames.lengths[low:high]
        base = int(starts[0]) - 4 if len(starts) else 0
        end = int(starts[-1] + lengths[-1]) if len(starts) else 0
        buffer = np.frombuffer(sample[base:end].tobytes(), np.uint8)
        parts.append(extract_decoder.decode(buffer, starts - base, lengths, first_record=low + 1, base=base))
    for name, table in whole.tables.items():
        assert pa.concat_tables(part.tables[name] for part in parts).equals(table)


def test_every_table_says_where_its_rows_come_from(
    extract_decoder: RecordDecoder, extract_framing: Framing, extract_encoder: RecordEncoder
) -> None:
    rows = [{"M-FROM": 99001, "M-CHILD": [{"M-CH-PARTY": n, "M-CH-NIGHTS": n} for n in range(2)]} for _ in range(2)]
    assessment = extract_encoder.encode("CSX-ASSESSMENT", {"M-CASE-REF": 1000000001, "M-ROW": rows})
    batch = decode(extract_decoder, extract_framing, assessment, assessment, first_record=41, base=1000)
    assert batch.tables["CSX-ASSESSMENT"].select(["_record", "_offset", "_length"]).to_pylist() == [
        {"_record": 41, "_offset": 1004, "_length": 120},
        {"_record": 42, "_offset": 1128, "_length": 120},
    ]
    assert batch.tables["M-ROW"].select(["_record", "_offset", "_index"]).to_pylist() == [
        {"_record": record, "_offset": offset + 18 + 51 * row, "_index": row + 1}
        for record, offset in ((41, 1004), (42, 1128))
        for row in range(2)
    ]
    children = batch.tables["M-CHILD"].select(["_record", "_offset", "_parent_index", "_index"]).to_pylist()
    assert children[5] == {"_record": 41, "_offset": 1004 + 18 + 51 + 23 + 7, "_parent_index": 2, "_index": 2}
    assert len(children) == 16


def test_all_tables_are_there_with_their_columns_even_without_records(
    extract_decoder: RecordDecoder, whole: DecodedBatch
) -> None:
    none = np.zeros(0, np.int64)
    empty = extract_decoder.decode(np.zeros(0, np.uint8), none, none)
    assert set(empty.tables) == set(extract_decoder.table_names)
    assert {name: table.schema for name, table in empty.tables.items()} == {
        name: table.schema for name, table in whole.tables.items()
    }


@pytest.mark.parametrize("benefits", [0, 1, 6])
@pytest.mark.parametrize("note", ["", "x", "£ and €", "é" * 80])
def test_the_benefit_table_moves_the_note_behind_it(
    extract_decoder: RecordDecoder, extract_encoder: RecordEncoder, extract_framing: Framing, benefits: int, note: str
) -> None:
    table = [{"C-BEN-FROM": 93001 + n, "C-BEN-TO": 9999999, "C-BEN-TYPE": "IS"} for n in range(benefits)]
    body = extract_encoder.encode("CSX-CASE", {"C-CASE-REF": 1000000001, "C-BENEFIT": table, "C-NOTE-CHAR": note})
    assert len(body) == 89 + 11 * benefits + len(note)
    batch = decode(extract_decoder, extract_framing, body, body)
    case = batch.tables["CSX-CASE"].to_pylist()[1]
    assert (case["C-BENEFIT-COUNT"], case["C-NOTE-LEN"], case["C-NOTE-CHAR"]) == (benefits, len(note), note)
    assert [fields(row) for row in batch.tables["C-BENEFIT"].to_pylist()] == table * 2


def test_a_ledger_line_has_the_columns_of_its_kind_and_no_faults_of_others(
    extract_decoder: RecordDecoder, extract_encoder: RecordEncoder, extract_framing: Framing
) -> None:
    lines: list[dict[str, Any]] = [
        {"L-KIND": "C", "LC-FROM": 99001, "LC-TO": 99031, "LC-WEEKLY": 1234, "LC-ASM-ROW": 1},
        {"L-KIND": "R", "LR-BANK-REF": "BREF", "LR-VALUE-DATE": 99040, "LR-QUOTED": "", "LR-PAYER-PARTY": 7},
        {"L-KIND": "A", "LA-REASON": "CR", "LA-EFF": 99050, "LA-AUTH": "ABC", "LA-TEXT": "£5 off"},
        {"L-KIND": "V", "LV-OF-SEQ": 2, "LV-REASON": "BD", "LV-DATE": 99060},
        {"L-KIND": "?"},
    ]
    bodies = [extract_encoder.encode("CSX-LEDGER", {"L-AMOUNT": -5, **line}) for line in lines]
    batch = decode(extract_decoder, extract_framing, *bodies)
    table = batch.tables["CSX-LEDGER"]
    assert not len(batch.faults)
    assert "L-DATA" not in table.column_names
    for row, line in zip(table.to_pylist(), lines, strict=True):
        assert {key: row[key] for key in line} == line
        assert [
            key
            for key in row
            if key[:2] in {"LC", "LR", "LA", "LV"} and row[key] is not None and key[1] != line["L-KIND"]
        ] == []


def test_faults_name_record_offset_table_field_and_bytes(
    extract_decoder: RecordDecoder, extract_encoder: RecordEncoder, extract_framing: Framing
) -> None:
    bodies = [
        extract_encoder.encode("CSX-CASE", {"C-BAL-RP": b"\xf0" * 10 + b"\xa1", "C-LIAB-END": b"\x00\x00\x00\x00"}),
        extract_encoder.encode("CSX-LEDGER", {"L-KIND": "C", "LC-FROM": b"\0\0\0\0", "LC-TO": b"\0\0\0\0"}),
        extract_encoder.encode("CSX-ASSESSMENT", {"M-ROW": [{}, {"M-CHILDREN": b"\x40"}]}),
    ]
    batch = decode(extract_decoder, extract_framing, *bodies, first_record=7, base=100)
    expected = [
        (7, 104, "CSX-CASE", "C-LIAB-END", "00000000"),
        (7, 104, "CSX-CASE", "C-BAL-RP", "F0F0F0F0F0F0F0F0F0F0A1"),
        (8, 197, "CSX-LEDGER", "LC-TO", "00000000"),
        (9, 280, "M-ROW", "M-CHILDREN", "40"),
    ]
    assert batch.faults.drop("code").rows() == expected
    assert batch.faults["code"].unique().to_list() == ["PACKED_INVALID"]
    assert batch.tables["CSX-LEDGER"]["LC-FROM"].to_pylist() == [LOW_VALUES]
    assert batch.tables["CSX-LEDGER"]["LC-TO"].to_pylist() == [None]


def test_records_of_unknown_type_are_told_apart_and_passed_over(
    extract_decoder: RecordDecoder, extract_encoder: RecordEncoder, extract_framing: Framing
) -> None:
    group = extract_encoder.encode("CSX-GROUP", {"G-SRC-GROUP": 5})
    buffer = np.frombuffer(frame_u32([group, b"\xf7\xf7 what is this", b"\xf1", group]), np.uint8)
    frames = extract_framing.scan(buffer, 0, final=False)
    frames = Frames(starts=frames.starts, lengths=frames.lengths, consumed=0)
    assert extract_decoder.record_types_of(buffer, frames.starts, frames.lengths).tolist()[:2] == [1, -1]
    batch = extract_decoder.decode(buffer, frames.starts, frames.lengths)
    assert 1 in batch.tables["CSX-GROUP"]["_record"].to_pylist()


LENGTH_FAULTS = [
    # 01 level, values, bytes cut off or put behind; then: the count at fault, the length expected
    (("CSX-GROUP", {}, -1), (None, 24)),
    (("CSX-GROUP", {}, 1), (None, 24)),
    (("CSX-CASE", {"C-BENEFIT": [{}]}, -11), (None, 100)),
    (("CSX-CASE", {"C-BENEFIT-COUNT": 7}, 77), ("C-BENEFIT-COUNT", None)),
    (("CSX-CASE", {"C-BENEFIT-COUNT": b"\xf0\x40"}, 0), ("C-BENEFIT-COUNT", None)),
    (("CSX-CASE", {"C-NOTE-LEN": 81}, 81), ("C-NOTE-LEN", None)),
    (("CSX-CASE", {"C-NOTE-CHAR": "note"}, 1), (None, 93)),
    (("CSX-ADDRESS", {"A-LINE-COUNT": 0, "A-LINE": []}, 0), ("A-LINE-COUNT", None)),
    (("CSX-ADDRESS", {"A-LINE-COUNT": 6, "A-LINE": ["x"] * 5}, 30), ("A-LINE-COUNT", None)),
    (("CSX-ASSESSMENT", {"M-COUNT": 0, "M-ROW": []}, 0), ("M-COUNT", None)),
    (("CSX-ASSESSMENT", {"M-COUNT": 25}, 0), ("M-COUNT", None)),
    (("CSX-ASSESSMENT", {"M-COUNT": b"\x00\x1a"}, 0), ("M-COUNT", None)),
    (("CSX-ASSESSMENT", {"M-COUNT": 2, "M-ROW": [{}]}, 0), (None, 120)),
]


@pytest.mark.parametrize(("record", "fault"), LENGTH_FAULTS)
def test_a_wrong_length_or_count_is_found_and_named(
    extract_decoder: RecordDecoder,
    extract_encoder: RecordEncoder,
    extract_framing: Framing,
    record: tuple[str, dict[str, Any], int],
    fault: tuple[str | None, int | None],
) -> None:
    name, values, change = record
    body = extract_encoder.encode(name, values)
    body = body[:change] if change < 0 else body + bytes(change)
    good = extract_encoder.encode("CSX-HISTORY", {})
    buffer = np.frombuffer(frame_u32([good, body, good, body]), np.uint8)
    frames = extract_framing.scan(buffer, 0, final=True)
    check = extract_decoder.length_check(buffer, frames.starts, frames.lengths)
    assert check.records.tolist() == [1, 3]
    first = check.first()
    assert first is not None
    assert (first.record, first.field, first.expected, first.actual) == (1, *fault, len(body))


@settings(deadline=None)
@given(
    damage=st.lists(st.tuples(st.integers(0, 193063), st.integers(0, 255)), min_size=1, max_size=200),
    end=st.integers(1, 193064),
)
def test_damaged_bytes_give_faults_but_never_a_crash(
    damage: list[tuple[int, int]], end: int, extract_decoder: RecordDecoder, extract_framing: Framing, sample: Block
) -> None:
    buffer = sample[:end].copy()
    for place, byte in damage:
        buffer[place % end] = byte
    frames = extract_framing.scan(buffer, 0, final=True)
    types = extract_decoder.record_types_of(buffer, frames.starts, frames.lengths)
    extract_decoder.length_check(buffer, frames.starts, frames.lengths, types)
    batch = extract_decoder.decode(buffer, frames.starts, frames.lengths, types=types)
    for table in batch.tables.values():
        table.validate(full=True)


@settings(deadline=None)
@given(
    starts=st.lists(st.integers(0, 3000), max_size=40), lengths=st.lists(st.integers(0, 1500), min_size=40, max_size=40)
)
def test_records_cut_anywhere_never_reach_beyond_their_end(
    starts: list[int], lengths: list[int], extract_decoder: RecordDecoder, sample: Block
) -> None:
    buffer = sample[:2500]
    where, sizes = np.array(starts, np.int64), np.array(lengths[: len(starts)], np.int64)
    types = np.arange(len(starts), dtype=np.int16) % 9
    batch = extract_decoder.decode(buffer, where, sizes, types=types)
    for table in batch.tables.values():
        table.validate(full=True)
        ends = {record: min(where[record - 1] + sizes[record - 1], 2500) for record in range(1, len(starts) + 1)}
        if "_index" in table.column_names:
            assert all(
                row["_offset"] < ends[row["_record"]] for row in table.select(["_record", "_offset"]).to_pylist()
            )
