"""Notices and dead letters that nobody foresaw: each is one item for people, and holds up no other."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.daemon import collector
from integrationhub.daemon.collector import Collector
from integrationhub.daemon.noticeboard import NoticeBoard
from integrationhub.daemon.roster import Roster
from integrationhub.daemon.shift import Shift
from integrationhub.receive.notices import QUEUE
from integrationhub.sdk.transport import (
    EXCHANGE_HEADER,
    REASON_HEADER,
    RETRY_SECONDS,
    Outgoing,
    Topology,
    dead_letter_queue,
    retry_queue,
)
from integrationhub.store.quarantine import QuarantineItem

PATIENCE_SECONDS = 20.0


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(collector, "LOOK_SECONDS", 0.1)
    with Hub(Settings(data_dir=tmp_path), Catalogue.standard()) as opened:
        opened.publisher.declare(Topology(queues={QUEUE: ()}))
        yield opened


def notice(uri: str = "file:///nowhere", connector: str = "csa1993") -> bytes:
    return json.dumps({"connector": connector, "uri": uri, "sha256": "00", "bytes": 1}).encode()


def publish(hub: Hub, queue: str, body: bytes, **headers: object) -> None:
    message = Outgoing(exchange="", routing_key=queue, message_id=None, body=body, content_type=None, headers=headers)
    hub.publisher.publish([message])


def items(hub: Hub) -> list[QuarantineItem]:
    with hub.store.begin() as work:
        return work.quarantine.items()


def working(hub: Hub, roster: Roster, done: Callable[[], object]) -> None:
    """Let notices and dead letters be taken until it is done."""
    shift = Shift()
    board, dead = NoticeBoard(hub, roster, shift, name="notices"), Collector(hub, roster, shift, name="dead-letters")
    threads = [threading.Thread(target=run) for run in (board.run, dead.run)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)
    shift.end()
    for thread in threads:
        thread.join()
    assert done()


@pytest.mark.parametrize("uri", ["file:///a\0b", "file:///%00", "http://[", "file:///\ud800"])
def test_a_notice_of_no_possible_place_is_set_aside(hub: Hub, uri: str) -> None:
    publish(hub, QUEUE, notice(uri))
    working(hub, Roster(hub, ["csa1993"]), lambda: items(hub))
    assert [(item.connector, item.code) for item in items(hub)] == [("csa1993", "NOTICE_URI")]


def test_a_notice_that_fails_as_nobody_foresaw_waits_and_holds_up_no_other(hub: Hub) -> None:
    class Faulty(Roster):
        def named(self, name: str) -> None:
            if name == "csa2003":
                raise ValueError("a fault of the hub")

    publish(hub, QUEUE, notice(connector="csa2003"))
    publish(hub, QUEUE, notice(connector="nobody's"))
    working(hub, Faulty(hub, ["csa1993"]), lambda: items(hub))
    assert [(item.connector, item.code) for item in items(hub)] == [("files", "NOTICE_NOT_FOUND")]
    waiting = retry_queue(QUEUE, RETRY_SECONDS[0])
    assert hub.publisher.depths([waiting]) == {waiting: 1}


def test_a_notice_that_the_broker_gave_up_goes_to_people_and_not_back_for_ever(hub: Hub) -> None:
    publish(hub, dead_letter_queue(QUEUE), notice(), **{REASON_HEADER: "delivery_limit"})
    working(hub, Roster(hub, ["csa1993"]), lambda: items(hub))
    assert [item.code for item in items(hub)] == ["DELIVERY_LIMIT"]


@pytest.mark.parametrize("reason", ["QQ123456C said it", "A\0B", None])
def test_what_a_sender_writes_is_no_reason_code(hub: Hub, reason: object) -> None:
    headers = {REASON_HEADER: reason, EXCHANGE_HEADER: "a\0b"}
    publish(hub, dead_letter_queue(QUEUE), notice(connector="QQ123456C"), **headers)
    working(hub, Roster(hub, ["csa1993"]), lambda: items(hub))
    assert [(item.connector, item.code) for item in items(hub)] == [("files", "DEAD_LETTER")]
