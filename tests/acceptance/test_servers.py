"""The main job on PostgreSQL and RabbitMQ, with somebody else reading the events."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from integrationhub.store.unit_of_work import Store
from tests.acceptance.conftest import Samples
from tests.acceptance.consumer import Consumer, Message, check_message, check_sequences
from tests.acceptance.files import Night
from tests.acceptance.installation import Installation
from tests.acceptance.test_daemon import accepted, published
from tests.acceptance.test_feed import figures
from tests.services.postgres import libpq_url
from tests.services.servers import PostgresServer, RabbitServer


@dataclass(frozen=True, slots=True, kw_only=True)
class OnServers:
    """What four nights gave on servers: one by notice, the others by folder; and the same on the embedded default."""

    hub: Installation
    embedded: Installation
    messages: list[Message]


@pytest.fixture(scope="module")
def on_servers(
    tmp_path_factory: pytest.TempPathFactory, nights: list[Night], postgres: PostgresServer, rabbitmq: RabbitServer
) -> Iterator[OnServers]:
    folder = tmp_path_factory.mktemp("servers")
    embedded = Installation(tmp_path_factory.mktemp("embedded"))
    embedded.call("ingest", "csa1993", *(night.data for night in nights))
    database, broker = postgres.new_database(), rabbitmq.new_vhost()
    hub = Installation(folder, database_url=database, broker_url=broker)
    with Consumer(broker) as consumer:
        with hub.daemon() as daemon:
            daemon.until_ready()
            hub.run("send", "csa1993", nights[0].data)
            daemon.until(lambda: accepted(daemon, nights[0].sequence), "the first night")
            for night in nights[1:]:
                night.hand_over(hub.inbox)
            daemon.until(lambda: accepted(daemon, nights[-1].sequence), "the other nights")
            daemon.until(lambda: published(daemon), "the events")
            assert daemon.stop() == 0
        messages = consumer.take_until_quiet()
    yield OnServers(hub=hub, embedded=embedded, messages=messages)
    postgres.drop_database(database)


def test_the_exports_are_those_of_the_embedded_run(on_servers: OnServers) -> None:
    here, there = on_servers.hub.exports_now(), on_servers.embedded.exports_now()

    for name in there:
        assert here[name] == there[name], name


def test_every_event_is_a_cloudevent_with_the_attributes_of_the_document(on_servers: OnServers) -> None:
    assert on_servers.messages
    for message in on_servers.messages:
        check_message(message)


def test_every_event_comes_once_and_in_the_order_of_its_subject(on_servers: OnServers) -> None:
    ids = Counter(message.event["id"] for message in on_servers.messages)

    assert set(ids.values()) == {1}
    check_sequences(on_servers.messages)


def test_the_events_are_those_of_the_outbox(on_servers: OnServers) -> None:
    rows = on_servers.hub.rows("events")
    received = {message.event["id"].replace("-", ""): message.event for message in on_servers.messages}

    assert received.keys() == {row["event_id"] for row in rows}
    for row in rows:
        assert received[row["event_id"]]["data"] == json.loads(row["data"])
        assert received[row["event_id"]]["correlationid"] == row["correlation_id"]


def test_the_events_tell_of_every_debt_of_the_book(on_servers: OnServers) -> None:
    last = {message.event["subject"]: message.event["data"] for message in on_servers.messages}
    debts = on_servers.hub.rows("debts")

    assert {debt["debt_id"] for debt in debts} == {subject for subject, data in last.items() if "debt_ref" in data}
    for debt in debts:
        if debt["status"] != "REMOVED":
            assert last[debt["debt_id"]]["balance_pence"] == debt["source_pence"]


def test_nothing_of_it_lies_around_at_the_broker(on_servers: OnServers) -> None:
    queues = on_servers.hub.call("status", "--json").rows[0]["queues"]

    assert set(queues.values()) <= {0, None}
    on_servers.hub.run("store", "check")


def test_an_ingest_publishes_what_it_has_taken(
    tmp_path: Path, samples: Samples, postgres_url: str, amqp_url: str
) -> None:
    hub = Installation(tmp_path, database_url=postgres_url, broker_url=amqp_url)
    with Consumer(amqp_url) as consumer:
        done = hub.run("ingest", "csa1993", samples.folder, "--json")
        assert hub.run("ingest", "csa1993", samples.folder, "--json").verdicts == ["DUPLICATE"]
        messages = consumer.take_until_quiet()

    controls = {control["name"]: control["actual"] for control in done.rows[0]["controls"]}
    assert controls == samples.control
    assert figures(hub) == samples.sources
    assert len(messages) == done.rows[0]["totals"]["debts"]["count"]
    assert (
        sum(message.event["data"]["balance_pence"] for message in messages) == done.rows[0]["totals"]["debts"]["pence"]
    )
    for message in messages:
        check_message(message)


def test_a_check_leaves_no_trace_in_postgres(
    tmp_path: Path, samples: Samples, postgres_url: str, amqp_url: str
) -> None:
    hub = Installation(tmp_path, database_url=postgres_url, broker_url=amqp_url)
    first = hub.run("check", "csa1993", samples.folder, "--json").rows
    assert Store.is_empty(postgres_url)
    hub.run("ingest", "csa1993", samples.folder)
    before = hub.exports(times=True)

    [report] = hub.run("check", "csa1993", samples.folder, "--json").rows

    assert (first[0]["verdict"], report["verdict"]) == ("ACCEPTED", "DUPLICATE")
    assert hub.exports(times=True) == before


def test_an_altered_ledger_row_is_found(tmp_path: Path, samples: Samples, postgres_url: str) -> None:
    hub = Installation(tmp_path, database_url=postgres_url)
    hub.call("ingest", "csa1993", samples.folder)
    hub.run("store", "check")

    with psycopg.connect(libpq_url(postgres_url)) as connection:
        connection.execute("UPDATE ledger SET pence = pence + 1 WHERE record_no = (SELECT max(record_no) FROM ledger)")

    assert "ledger-is-unaltered" in hub.run("store", "check", code=6).out
