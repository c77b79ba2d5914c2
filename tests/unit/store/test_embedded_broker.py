import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationhub.errors import ConfigurationError
from integrationhub.sdk.transport import Outgoing, Topology
from integrationhub.store.broker_tables import matches
from integrationhub.store.embedded_broker import EmbeddedPublisher, EmbeddedSource

QUEUE = "integrationhub.test"


@pytest.mark.parametrize(
    ("binding", "wanted", "unwanted"),
    [
        ("a.b", ["a.b"], ["a", "a.b.c", "axb", "a.B"]),
        ("a.*", ["a.b", "a."], ["a", "a.b.c"]),
        ("*.b", ["a.b"], ["b", "a.a.b"]),
        ("a.#", ["a", "a.b", "a.b.c"], ["b", "b.a"]),
        ("#.b", ["b", "a.b", "a.a.b"], ["a", "b.a"]),
        ("#", ["", "a", "a.b"], []),
        ("*", ["a"], ["", "a.b"]),
        ("a.#.b", ["a.b", "a.x.b", "a.x.y.b"], ["a", "b", "ab"]),
        ("*.#", ["a", "a.b"], [""]),
        ("", [""], ["a"]),
        ("a+.(b)", ["a+.(b)"], ["aa.b"]),
    ],
)
def test_a_binding_key_wants_the_routing_keys_that_amqp_says(
    binding: str, wanted: list[str], unwanted: list[str]
) -> None:
    assert [key for key in wanted if not matches(binding, key)] == []
    assert [key for key in unwanted if matches(binding, key)] == []


words = st.lists(st.sampled_from(["a", "b", "*", "#"]), max_size=5)


def wants(binding: list[str], key: list[str]) -> bool:
    """The definition, word by word."""
    if not binding:
        return not key
    if binding[0] == "#":
        return wants(binding[1:], key) or bool(key and wants(binding, key[1:]))
    return bool(key) and binding[0] in {"*", key[0]} and wants(binding[1:], key[1:])


@given(binding=words, key=st.lists(st.sampled_from(["a", "b"]), max_size=5))
def test_matching_agrees_with_its_definition(binding: list[str], key: list[str]) -> None:
    assert matches(".".join(binding), ".".join(key)) == wants(binding, key)


@pytest.mark.parametrize("database", ["", ":memory:"])
def test_a_database_in_memory_is_a_configuration_error(database: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        EmbeddedPublisher(database)
    assert raised.value.code == "BROKER_FILE"


def test_an_acknowledgement_that_met_a_locked_file_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrationhub.store.embedded_broker.BUSY_SECONDS", 0.1)
    publisher, source = EmbeddedPublisher(tmp_path / "b.db"), EmbeddedSource(tmp_path / "b.db", QUEUE)
    publisher.declare(Topology(queues={QUEUE: ()}))
    publisher.publish([Outgoing(exchange="", routing_key=QUEUE, message_id="m", body=b"", content_type=None)])
    taken = source.receive(limit=1, timeout=1)
    other = sqlite3.connect(tmp_path / "b.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    source.acknowledge(taken)
    other.execute("ROLLBACK")
    other.close()
    source.close()
    again = EmbeddedSource(tmp_path / "b.db", QUEUE)
    assert again.receive(limit=1, timeout=0.1) == []
    again.close()
    publisher.close()


def test_a_locked_file_is_nothing_to_receive_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrationhub.store.embedded_broker.BUSY_SECONDS", 0.1)
    publisher, source = EmbeddedPublisher(tmp_path / "b.db"), EmbeddedSource(tmp_path / "b.db", QUEUE)
    assert source.receive(limit=1, timeout=0) == []
    publisher.publish([Outgoing(exchange="", routing_key=QUEUE, message_id="m", body=b"", content_type=None)])
    other = sqlite3.connect(tmp_path / "b.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert source.receive(limit=1, timeout=0.3) == []
    other.execute("ROLLBACK")
    other.close()
    assert [message.message_id for message in source.receive(limit=1, timeout=1)] == ["m"]
    source.close()
    publisher.close()
