"""What a log line may hold, and what a unit of work writes."""

import io
import json
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationhub import telemetry
from integrationhub.errors import RecordRejected, TransientError


class Lines(io.StringIO):
    def parsed(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything logged from DEBUG up; the process's logging is put back afterwards."""
    root, ours, hook = logging.getLogger(), logging.getLogger(telemetry.LOGGER), threading.excepthook
    before = (root.handlers[:], root.level, ours.level)
    stream = Lines()
    telemetry.configure("DEBUG", stream=stream)
    yield stream
    root.handlers[:], root.level, threading.excepthook = before[0], before[1], hook
    ours.setLevel(before[2])
    logging.captureWarnings(capture=False)


def test_a_unit_of_work_writes_one_line_with_its_fields_outcome_and_duration(lines: Lines) -> None:
    ticks = iter([10.0, 10.25])

    with telemetry.UnitOfWork("file.ingest", clock=lambda: next(ticks), connector="csa1993") as unit:
        unit.note(outcome="ACCEPTED", records=12)

    (line,) = lines.parsed()
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "file.ingest",
        "level": "info",
        "connector": "csa1993",
        "outcome": "ACCEPTED",
        "records": 12,
        "duration_ms": 250.0,
    }


def test_a_line_inside_a_unit_of_work_has_its_fields_and_a_line_after_it_has_not(lines: Lines) -> None:
    with telemetry.UnitOfWork("outer", connector="csa1993"), telemetry.context(sequence=7):
        telemetry.logger().info("inside")
    telemetry.logger().info("after")

    inside, _, after = lines.parsed()
    assert (inside["connector"], inside["sequence"]) == ("csa1993", 7)
    assert "connector" not in after


def test_a_failed_unit_of_work_names_class_code_and_place_and_lets_the_error_pass(lines: Lines) -> None:
    with pytest.raises(RecordRejected), telemetry.UnitOfWork("message"):
        raise RecordRejected("the text", code="PACKED_INVALID")

    (line,) = lines.parsed()
    assert (line["level"], line["outcome"], line["error"], line["reason"]) == (
        "warning",
        "FAILED",
        "RecordRejected",
        "PACKED_INVALID",
    )
    assert line["at"].startswith("test_telemetry.py:")
    assert "the text" not in lines.getvalue()


def test_an_outcome_given_beforehand_stays_unless_the_work_fails(lines: Lines) -> None:
    with telemetry.UnitOfWork("export", outcome="UNMASKED"):
        pass
    with pytest.raises(KeyError), telemetry.UnitOfWork("export", outcome="UNMASKED"):
        raise KeyError

    assert [line["outcome"] for line in lines.parsed()] == ["UNMASKED", "FAILED"]


def test_a_transient_error_is_a_retry(lines: Lines) -> None:
    with pytest.raises(TransientError), telemetry.UnitOfWork("message"):
        raise TransientError("broker away")

    (line,) = lines.parsed()
    assert (line["outcome"], line["reason"]) == ("RETRY", "TransientError")


def test_an_unknown_field_is_withheld_by_name(lines: Lines) -> None:
    telemetry.logger().info("message", surname="Canary", connector="csa1993")

    (line,) = lines.parsed()
    assert line["withheld"] == ["surname"]
    assert "Canary" not in lines.getvalue()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("connector", "Mrs Canary"),
        ("file", "a folder/Canary.dat"),
        ("records", "Canary"),
        ("records", True),
        ("reason", {"surname": "CANARY"}),
        ("sha256", "CANARY"),
        ("event", "Loaded Canary"),
        ("field", "Canary, Ann"),
    ],
)
def test_a_value_of_another_shape_is_withheld(name: str, value: object) -> None:
    assert telemetry.redact(None, "", {name: value}) == {name: telemetry.WITHHELD}


@pytest.mark.parametrize(
    "value", ["QQ123456C", "QQ 12 34 56 C", "qq123456c", "QQ123456", "REF.QQ123456A.dat", "x_QQ-12-34-56-D"[2:]]
)
def test_a_national_insurance_number_is_withheld_in_any_spelling(value: str) -> None:
    assert telemetry.WITHHELD in telemetry.redact(None, "", {"message_id": value, "template": value}).values()
    assert value not in json.dumps(telemetry.redact(None, "", {"message_id": value, "template": value, "file": value}))


def test_identifiers_of_the_hub_are_written_even_where_they_look_like_numbers_of_people() -> None:
    line = {"debt_id": "ab123456c0123456789abcdef0123456", "file": "CSCS.NIGHTLY.D20150701.S000101.dat", "pence": -5}

    assert telemetry.redact(None, "", dict(line)) == line


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.lists(st.text())))
def test_whatever_is_logged_only_known_fields_are_written(line: dict[str, object]) -> None:
    assert set(telemetry.redact(None, "", dict(line))) <= set(telemetry.FIELDS) | {"withheld"}


def test_a_library_is_written_without_its_values(lines: Lines) -> None:
    logging.getLogger("pika.channel").warning("refused %s for %r", "Canary", {"nino": "QQ123456C"})
    logging.getLogger("sqlalchemy").warning("put together from Canary already")

    first, second = lines.parsed()
    assert (first["logger"], first["template"]) == ("pika.channel", "refused %s for %r")
    assert "template" not in second
    assert second["at"].startswith("test_telemetry.test_a_library")
    assert "anary" not in lines.getvalue()


def test_a_library_error_is_written_by_its_class_alone(lines: Lines) -> None:
    try:
        int("Canary")
    except ValueError:
        logging.getLogger("pika").exception("failed %s", "Canary")

    assert lines.parsed()[0]["error"] == "ValueError"
    assert "Canary" not in lines.getvalue()


@pytest.mark.filterwarnings("always")
def test_a_warning_is_written_without_its_values(lines: Lines) -> None:
    warnings.warn("Canary", UserWarning, stacklevel=1)

    assert lines.parsed()[0]["logger"] == "py.warnings"
    assert "Canary" not in lines.getvalue()


def test_a_thread_that_dies_is_told_by_class_and_place(lines: Lines) -> None:
    def work() -> None:
        raise KeyError("Canary")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    (line,) = lines.parsed()
    assert (line["event"], line["error"]) == ("thread_died", "KeyError")
    assert "Canary" not in lines.getvalue()


def test_lines_below_the_level_are_not_written_and_libraries_are_quiet_before_warnings(lines: Lines) -> None:
    telemetry.configure("INFO", stream=lines)

    telemetry.logger().debug("fine")
    logging.getLogger("pika").info("connecting")
    telemetry.logger().info("coarse")

    assert [line["event"] for line in lines.parsed()] == ["coarse"]
