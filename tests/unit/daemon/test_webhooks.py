"""Messages that are posted: stored before they are answered, refused where nobody signed them, within limits."""

import hmac
import http.client
import json
from collections.abc import Iterator, Mapping, Sequence

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.daemon.health import HealthServer
from integrationhub.daemon.meter import Meter
from integrationhub.daemon.roster import Roster
from integrationhub.daemon.webhooks import REFUSED_A_MINUTE, Hooks, Reply, Webhooks
from integrationhub.errors import TransientError
from integrationhub.sdk.messages import Fate
from integrationhub.sdk.transport import Outgoing, Topology

PATH = "/webhooks/gov-pay"
SECRET = "a secret of the tests"  # noqa: S105 - nobody else's
BODY = json.dumps({"webhook_message_id": "m1", "api_version": 1}).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"pay-signature": hmac.digest(secret.encode(), body, "sha256").hex(), "x-other": "not kept"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("webhooks")
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"govpay_secret": SECRET}), encoding="utf-8")
    settings = Settings(data_dir=folder / "data", keys_file=keys, synthetic_identities=True)
    with Hub(settings, Catalogue.standard()) as made:
        made.publisher.declare(Topology(queues={"integrationhub.gov-pay": ()}))
        yield made


class Broker:
    """Keeps what is published; away when told so."""

    def __init__(self) -> None:
        self.kept: list[Outgoing] = []
        self.away = False

    def publish(self, messages: Sequence[Outgoing]) -> None:
        if self.away:
            raise TransientError("the broker is away", code="BROKER_AWAY")
        self.kept += messages

    def declare(self, topology: Topology) -> None:
        raise NotImplementedError

    def depths(self, queues: Sequence[str]) -> Mapping[str, int | None]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture(scope="module")
def roster(hub: Hub) -> Roster:
    return Roster(hub, ["gov-pay"])


@pytest.fixture
def webhooks(hub: Hub, roster: Roster, broker: Broker) -> Webhooks:
    hooks = Hooks(roster=roster, settings=hub.settings)
    return Webhooks(hooks=hooks, publisher=broker, seconds=lambda: 0.0)


def test_a_message_is_answered_once_the_broker_has_it(webhooks: Webhooks, broker: Broker) -> None:
    assert webhooks.ahead(PATH, str(len(BODY))) is None
    assert webhooks.take(PATH, signed(BODY), BODY).status == 200
    (kept,) = broker.kept
    assert (kept.routing_key, kept.body, kept.headers) == (
        "integrationhub.gov-pay", BODY, {"Pay-Signature": signed(BODY)["pay-signature"]},
    )  # fmt: skip


def test_while_the_broker_is_away_senders_are_asked_to_come_again(webhooks: Webhooks, broker: Broker) -> None:
    broker.away = True
    reply = webhooks.take(PATH, signed(BODY), BODY)
    assert (reply.status, reply.retry_after is not None) == (503, True)
    broker.away = False
    assert webhooks.take(PATH, signed(BODY), BODY).status == 200


def test_what_comes_again_is_stored_once(webhooks: Webhooks, broker: Broker) -> None:
    assert [webhooks.take(PATH, signed(BODY), BODY).status for _ in range(3)] == [200, 200, 200]
    assert len(broker.kept) == 1


@pytest.mark.parametrize(
    "headers", [{}, {"Pay-Signature": signed(BODY)["pay-signature"].upper()}, signed(BODY, "other")]
)
def test_a_wrong_signature_is_told_and_the_message_kept_for_the_quarantine(
    webhooks: Webhooks, broker: Broker, headers: dict[str, str]
) -> None:
    assert webhooks.take(PATH, headers, BODY).status == 401
    assert [message.body for message in broker.kept] == [BODY]


def test_only_so_many_unsigned_messages_are_kept_a_minute(webhooks: Webhooks, broker: Broker) -> None:
    replies = [webhooks.take(PATH, {}, str(number).encode()) for number in range(REFUSED_A_MINUTE + 1)]
    assert [reply.status for reply in replies] == [401] * REFUSED_A_MINUTE + [429]
    assert len(broker.kept) == REFUSED_A_MINUTE
    assert webhooks.take(PATH, signed(BODY), BODY).status == 200
    webhooks.seconds = lambda: 60.0
    assert webhooks.take(PATH, {}, b"later").status == 401


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/webhooks/other", "1", 404), (PATH, None, 411), (PATH, "-1", 411), (PATH, "ten", 411),
        (PATH, str((1 << 20) + 1), 413),
    ],
)  # fmt: skip
def test_what_can_not_be_taken_is_told_before_the_body_is_read(
    webhooks: Webhooks, path: str, length: str | None, status: int
) -> None:
    reply = webhooks.ahead(path, length)
    assert isinstance(reply, Reply)
    assert reply.status == status


def test_without_keys_nothing_is_taken(hub: Hub, roster: Roster, broker: Broker, webhooks: Webhooks) -> None:
    keyless = hub.settings.model_copy(update={"keys_file": None})
    webhooks.hooks = Hooks(roster=roster, settings=keyless)
    assert webhooks.take(PATH, signed(BODY), BODY).status == 404
    assert broker.kept == []


def test_from_the_port_to_the_fate_of_the_message(hub: Hub, roster: Roster) -> None:
    webhooks = Webhooks(hooks=Hooks(roster=roster, settings=hub.settings), publisher=hub.publisher)
    with HealthServer(hub, port=0, ready=lambda: True, meter=Meter(), webhooks=webhooks) as server:
        assert [post(server.port, headers) for headers in (signed(BODY), {})] == [200, 401]
        assert post(server.port, {}, path="/metrics") == 404
    source = hub.source("integrationhub.gov-pay")
    try:
        outcomes = hub.taker("gov-pay").take(source.receive(limit=10, timeout=5), now=hub.clock())
    finally:
        source.close()
    assert [(item.fate, item.code) for item in outcomes] == [
        (Fate.REJECTED, "SCHEMA_INVALID"), (Fate.REJECTED, "SIGNATURE_INVALID"),
    ]  # fmt: skip


def post(port: int, headers: Mapping[str, str], *, path: str = PATH) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body=BODY, headers=dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()
