"""What is named is there, and what is there is named; figures are those of the store and of the meter."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.daemon.meter import COUNTED, Meter
from integrationhub.daemon.metrics import METRICS, metrics_text
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.store.intakes import IntakeState
from tests.contract.quarantine.conftest import item

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(Settings(data_dir=tmp_path), Catalogue.standard()) as hub:
        yield hub


def _named(text: str) -> set[str]:
    return set(re.findall(r"^# HELP (\S+)", text, re.MULTILINE))


def test_every_metric_that_is_named_is_there_and_the_other_way_round(hub: Hub) -> None:
    assert _named(metrics_text(hub, Meter())) == {*METRICS, *COUNTED}


def test_messages_are_counted_by_fate_with_their_times_and_batch_sizes() -> None:
    meter = Meter()
    intake = meter.of("csa2003")
    outcomes = [Outcome(fate=Fate.LOADED), Outcome(fate=Fate.LOADED), Outcome(fate=Fate.REJECTED, code="X")]
    intake.committed(outcomes, waited=[0.004, 0.02, 70.0], took=0.003)
    intake.retried()
    intake.worker_lost()
    intake.waits(lambda: 2.5)
    lines = meter.text().splitlines()
    for line in (
        'integrationhub_messages_total{connector="csa2003",fate="LOADED"} 2.0',
        'integrationhub_messages_total{connector="csa2003",fate="REJECTED"} 1.0',
        'integrationhub_message_seconds_bucket{connector="csa2003",le="0.025"} 2.0',
        'integrationhub_message_seconds_count{connector="csa2003"} 3.0',
        'integrationhub_batch_messages_bucket{connector="csa2003",le="5.0"} 1.0',
        'integrationhub_batch_seconds_count{connector="csa2003"} 1.0',
        'integrationhub_message_retries_total{connector="csa2003"} 1.0',
        'integrationhub_workers_lost_total{connector="csa2003"} 1.0',
        'integrationhub_oldest_message_wait_seconds{connector="csa2003"} 2.5',
    ):
        assert line in lines


def test_the_quarantine_by_reason_and_what_an_intake_waits_for_come_from_the_store(hub: Hub) -> None:
    with hub.store.begin() as work:
        work.quarantine.add([item(1), item(2), item(3, code="POISON")])
        work.intakes.save(IntakeState(connector="csa2003", host="a", waits_for="DATABASE_AWAY", since=NOW))
        work.commit()
    lines = metrics_text(hub, Meter()).splitlines()
    assert 'integrationhub_quarantined{code="AMOUNT",connector="drill",kind="MESSAGE"} 2.0' in lines
    assert 'integrationhub_quarantined{code="POISON",connector="drill",kind="MESSAGE"} 1.0' in lines
    assert 'integrationhub_intake_waits{connector="csa2003",host="a",reason="DATABASE_AWAY"} 1.0' in lines
    assert "integrationhub_outbox_waiting 0.0" in lines
