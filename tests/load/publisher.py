"""A source system as the hub meets it: publishes with confirms, fast, and again whatever was not confirmed.

Plain pika; it knows nothing of the hub. What the broker did not confirm before a connection was lost is published
again with the same id, so the hub sees repeats, as it does from real sources. What it did confirm is owed by the hub.
"""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import pika  # type: ignore[import-untyped]

WINDOW = 1000
PAUSE_SECONDS = 0.3
"""Before connecting again, and before sending again what no queue wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadMessage:
    """One message of the load."""

    message_id: str | None
    body: bytes
    routing_key: str
    exchange: str = ""
    headers: Mapping[str, object] = field(default_factory=dict)
    content_type: str = "application/json"


class LoadPublisher:
    """Publishes all `messages` in a thread, at most `rate` a second (none: as fast as it can). Use in a `with` block.

    `confirmed` maps the id of each message that the broker confirmed to the moment of the first confirmation.
    """

    def __init__(
        self, url: str, messages: Iterable[LoadMessage], *, rate: float | None = None, window: int = WINDOW
    ) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.heartbeat = 5
        self._parameters.socket_timeout = 5
        self._messages: Iterator[LoadMessage] = iter(messages)
        self._again: deque[LoadMessage] = deque()
        self._later: deque[tuple[float, LoadMessage]] = deque()  # what came back from the broker
        self._rate = rate
        self._window = window
        self.attempted = 0
        self.acknowledged = 0
        self.confirmed: dict[str | None, float] = {}
        self.begun: set[str | None] = set()
        self.sent = 0
        self.reconnects = 0
        self._exhausted = False
        self._stop = threading.Event()
        self._began = time.monotonic()
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    @property
    def is_done(self) -> bool:
        """Whether every message was confirmed."""
        return self._exhausted and self.acknowledged == self.attempted

    @property
    def is_exhausted(self) -> bool:
        """Whether every message has been sent at least once."""
        return self._exhausted

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take no further message; what was confirmed until now counts."""
        self._stop.set()
        self._thread.join(30)

    def wait(self, seconds: float) -> None:
        """Until all are confirmed; RuntimeError when it takes longer."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise RuntimeError(f"{self.acknowledged} of {self.attempted} messages confirmed after {seconds} s")

    def _run(self) -> None:
        while not (self._stop.is_set() or self.is_done):
            _Session(self, self._parameters).run()
            if not (self._stop.is_set() or self.is_done):
                self.reconnects += 1
                time.sleep(PAUSE_SECONDS)

    # ---- asked by the session

    @property
    def is_over(self) -> bool:
        """Whether the session may close."""
        return self._stop.is_set() or self.is_done

    def allowance(self, outstanding: int) -> int:
        """How many may be sent now."""
        room = self._window - outstanding
        if self._rate is None:
            return room
        return min(room, int((time.monotonic() - self._began) * self._rate) - self.attempted + len(self._again))

    def next(self) -> LoadMessage | None:
        """What to send next: first what must be sent again."""
        if self._again:
            return self._again.popleft()
        if self._later and self._later[0][0] <= time.monotonic():
            return self._later.popleft()[1]
        message = None if self._stop.is_set() else next(self._messages, None)
        if message is None:
            self._exhausted = True
        else:
            self.attempted += 1
            self.begun.add(message.message_id)
        return message

    def repeat(self, messages: Iterable[LoadMessage]) -> None:
        """These were not confirmed, the connection is gone."""
        self._again.extend(messages)

    def repeat_later(self, message: LoadMessage) -> None:
        """No queue wanted this one."""
        self._later.append((time.monotonic() + PAUSE_SECONDS, message))


class _Session:
    """One connection, to its end."""

    def __init__(self, load: LoadPublisher, parameters: Any) -> None:  # noqa: ANN401 - pika has no types
        self._load = load
        self._tag = 0
        self._outstanding: dict[int, LoadMessage] = {}
        self._returned: set[str | None] = set()
        self._channel: Any = None
        self._connection = pika.SelectConnection(
            parameters,
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._opened),
            on_open_error_callback=lambda connection, _error: connection.ioloop.stop(),
            on_close_callback=lambda connection, _reason: connection.ioloop.stop(),
        )

    def run(self) -> None:
        # Whatever ends a connection, what it had not confirmed is sent again on the next.
        with contextlib.suppress(pika.exceptions.AMQPError, OSError):
            self._connection.ioloop.start()
        self._load.repeat(self._outstanding.values())
        with contextlib.suppress(Exception):
            self._connection.ioloop.close()

    def _opened(self, channel: Any) -> None:  # noqa: ANN401
        self._channel = channel
        channel.add_on_close_callback(lambda *_: self._close())
        channel.add_on_return_callback(lambda _channel, _method, properties, _body: self._came_back(properties))
        channel.confirm_delivery(self._confirmed, callback=lambda _frame: self._pump())

    def _came_back(self, properties: Any) -> None:  # noqa: ANN401
        self._returned.add(properties.message_id)

    def _pump(self) -> None:
        if not self._channel.is_open:
            return
        self._send()
        if self._load.is_over:
            self._close()
        else:
            self._connection.ioloop.call_later(0.005, self._pump)

    def _send(self) -> None:
        for _ in range(self._load.allowance(len(self._outstanding))):
            message = self._load.next()
            if message is None:
                return
            self._tag += 1
            self._outstanding[self._tag] = message
            self._load.sent += 1
            self._channel.basic_publish(
                message.exchange,
                message.routing_key,
                message.body,
                pika.BasicProperties(
                    message_id=message.message_id,
                    content_type=message.content_type,
                    headers=dict(message.headers),
                    delivery_mode=2,
                ),
                mandatory=True,
            )

    def _confirmed(self, frame: Any) -> None:  # noqa: ANN401
        method = frame.method
        first = next(iter(self._outstanding), method.delivery_tag) if method.multiple else method.delivery_tag
        for tag in range(first, method.delivery_tag + 1):
            message = self._outstanding.pop(tag, None)
            if message is None:
                continue
            if method.NAME == "Basic.Nack":
                self._load.repeat([message])
            elif message.message_id in self._returned:
                self._returned.discard(message.message_id)
                self._load.repeat_later(message)
            else:
                self._load.acknowledged += 1
                self._load.confirmed.setdefault(message.message_id, time.time())
        self._send()

    def _close(self) -> None:
        with contextlib.suppress(pika.exceptions.AMQPError):
            self._connection.close()
