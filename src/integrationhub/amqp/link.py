"""A link: one connection with one channel, its I/O on a thread of its own.

Nothing else is done on that thread: heartbeats go out however long the work on a message takes. Other threads hand it
small actions. A link that is lost stays lost; whoever needs it opens another. Why it was lost is told as one of the
hub's errors, to everybody who waits for an answer and to everybody who uses the link afterwards.
"""

import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import pika  # type: ignore[import-untyped]
from pika.adapters.select_connection import IOLoop  # type: ignore[import-untyped]
from tenacity import Retrying, retry_if_exception_type, sleep_using_event, stop_before_delay, wait_random_exponential

from integrationhub.amqp.address import connection_parameters
from integrationhub.amqp.faults import again, gone, translated
from integrationhub.amqp.headers import read_leniently
from integrationhub.amqp.publication import Method, Properties, Publication
from integrationhub.errors import HubError, TransientError
from integrationhub.sdk.transport import Outgoing

ANSWER_SECONDS = 30.0
"""How long the broker may take to answer a command, or to confirm one more message."""

FAREWELL_SECONDS = 5.0
"""How long the broker may take to end a connection in good order."""

read_leniently()

T = TypeVar("T")

OnMessage = Callable[[Method, Properties, bytes], None]


class _Connection(pika.SelectConnection):  # type: ignore[misc]
    """pika's connection, with frames gathered into one write: it would make three system calls of each message."""

    _gathered: list[bytes] | None = None

    @contextlib.contextmanager
    def gathering(self) -> Iterator[None]:
        """Everything that is sent in the block goes out at its end."""
        self._gathered = []
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered, None
            if gathered and self.is_open:
                super()._adapter_emit_data(b"".join(gathered))

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._gathered is None:
            super()._adapter_emit_data(data)
        else:
            self._gathered.append(data)


class Link:
    """An open connection, from the start. Its methods may be called by any thread but its own."""

    def __init__(self, url: str, name: str, *, on_lost: Callable[[], None] = lambda: None) -> None:
        parameters = connection_parameters(url, name)
        self.broker = f"{parameters.host}:{parameters.port}"
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._lost: HubError | None = None
        self._waiting: set[Future[Any]] = set()  # each would wait for ever once the link is lost
        self._publication: Publication | None = None
        self._publishing = threading.Lock()
        self._last_tag = 0
        self._consumer: str | None = None
        self._ioloop = IOLoop()
        opened: Future[None] = Future()
        self._waiting.add(opened)
        self._thread = threading.Thread(target=self._run, args=(parameters, opened), name=name, daemon=True)
        self._thread.start()
        try:
            self._result(opened)
        except HubError:
            self.close()
            raise

    # ---- on the I/O thread

    def _run(self, parameters: pika.ConnectionParameters, opened: "Future[None]") -> None:
        try:
            self._connection = _Connection(
                parameters,
                on_open_callback=lambda connection: connection.channel(
                    on_open_callback=lambda channel: self._channel_open(channel, opened)
                ),
                on_open_error_callback=self._connection_closed,
                on_close_callback=self._connection_closed,
                custom_ioloop=self._ioloop,
            )
            self._connection.add_on_connection_blocked_callback(self._connection_blocked)
            self._ioloop.start()
        except Exception as error:  # noqa: BLE001 - the edge of the thread: it would end with nobody told
            self._lose(translated(error, self.broker))
            self._terminate()
        finally:
            self._lose(gone(self.broker, "is no longer connected"))
            self._ioloop.close()

    def _channel_open(self, channel: pika.channel.Channel, opened: "Future[None]") -> None:
        self._channel = channel
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_cancel_callback(self._consumer_cancelled)
        channel.add_on_return_callback(self._message_returned)
        channel.confirm_delivery(self._message_confirmed, callback=lambda _frame: opened.set_result(None))

    def _connection_closed(self, _connection: object, error: BaseException) -> None:
        self._lose(translated(error, self.broker))
        self._ioloop.stop()

    def _connection_blocked(self, *_: object) -> None:
        """The broker takes nothing that is published here any more, nor answers; only publishers are told so."""
        self._lose(
            gone(
                self.broker,
                "takes no messages: it has run out of memory or disk",
                code="BROKER_BLOCKED",
                remedy="see to its memory and disk alarms; publishing goes on by itself then, taking messages at once",
            )
        )
        self._ioloop.add_callback_threadsafe(self._terminate_soon)

    def _channel_closed(self, _channel: object, error: BaseException) -> None:
        self._lose(translated(error, self.broker))
        self._part()

    def _consumer_cancelled(self, _frame: object) -> None:
        self._lose(
            gone(
                self.broker,
                "has lost the queue: it was deleted",
                code="QUEUE_DELETED",
                remedy="the hub declares it again; messages that lay in it are gone with it",
            )
        )
        self._part()

    def _lose(self, error: HubError) -> None:
        with self._lock:
            if self._lost is not None:
                return
            self._lost = error
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_exception(error)
        self._on_lost()

    def _part(self) -> None:
        if not (self._connection.is_closing or self._connection.is_closed):
            self._connection.close()

    def _terminate(self) -> None:
        """Give up the socket without a farewell: the other side does not answer, or pika's state is broken."""
        with contextlib.suppress(Exception):  # whatever state the connection is in, it is being thrown away
            self._ioloop.call_later(1, self._ioloop.stop)
            self._connection._terminate_stream(pika.exceptions.StreamLostError("given up"))  # noqa: SLF001
            self._ioloop.start()

    def _message_returned(self, _channel: object, method: Method, properties: Properties, body: bytes) -> None:
        if self._publication is not None:
            self._publication.returned(method, properties, body)

    def _message_confirmed(self, frame: pika.frame.Method) -> None:
        publication, method = self._publication, frame.method
        if publication is None or publication.done.done():
            return
        if isinstance(method, pika.spec.Basic.Nack):
            publication.refused(self.broker)
        elif publication.confirmed(method.delivery_tag, multiple=method.multiple):
            self._go_on(publication)

    def _go_on(self, publication: Publication) -> None:
        try:
            with self._connection.gathering():
                self._last_tag = publication.go_on(self._channel, self._last_tag)
        except Exception as error:  # noqa: BLE001 - goes to the thread that publishes; the link is of no more use
            self._lose(translated(error, self.broker))
            self._part()

    # ---- on any other thread

    @property
    def lost(self) -> HubError | None:
        """Why the link is no more, or None while it is there."""
        return self._lost

    def post(self, action: Callable[[pika.channel.Channel], object]) -> None:
        """Have the I/O thread do something with the channel soon; the link's error when it is lost already."""
        self._post(None, lambda: self._gathered(action))

    def _gathered(self, action: Callable[[pika.channel.Channel], object]) -> None:
        """On the I/O thread: hundreds of acknowledgements are one write."""
        with self._connection.gathering():
            action(self._channel)

    def _post(self, answer: "Future[Any] | None", action: Callable[[], object]) -> None:
        with self._lock:
            if self._lost is not None:
                raise again(self._lost)
            if answer is not None:
                self._waiting.add(answer)
            # Under the lock: the loop is closed only after `_lost` is set.
            self._ioloop.add_callback_threadsafe(lambda: self._act(action))

    def _act(self, action: Callable[[], object]) -> None:
        if self.lost is None:
            action()

    def call(self, command: Callable[[pika.channel.Channel, Callable[[object], None]], object]) -> Any:  # noqa: ANN401
        """The broker's answer, as pika gives it: `command` gets the channel and the callback that takes the answer."""
        answer: Future[Any] = Future()

        def act() -> None:
            try:
                command(self._channel, answer.set_result)
            except Exception as error:  # noqa: BLE001 - goes to the thread that waits
                answer.set_exception(translated(error, self.broker))

        self._post(answer, act)
        return self._result(answer)

    def consume(self, queue: str, *, prefetch: int, on_message: OnMessage) -> None:
        """Have the queue's messages delivered, on the I/O thread, up to `prefetch` of them unacknowledged."""
        self.call(lambda channel, answer: channel.basic_qos(prefetch_count=prefetch, callback=answer))
        consuming = self.call(
            lambda channel, answer: channel.basic_consume(
                queue,
                on_message_callback=lambda _channel, method, properties, body: on_message(method, properties, body),
                callback=answer,
            )
        )
        self._consumer = consuming.method.consumer_tag

    def stop_consuming(self) -> None:
        """Have nothing more delivered; what was delivered stays to be acknowledged."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            self.call(lambda channel, answer: channel.basic_cancel(consumer, callback=answer))

    def publish(self, messages: Sequence[Outgoing]) -> list[Outgoing]:
        """Publish in order and return when the broker has confirmed every message: those that no queue wants.

        TransientError: the link was lost, or the broker refused a message; each may or may not have arrived.
        """
        with self._publishing:
            publication = self._publication = Publication(iter(messages))
            self._post(publication.done, lambda: self._go_on(publication))
            return self._result(publication.done, lambda: publication.progress)

    def _result(self, answer: "Future[T]", progress: Callable[[], float] = lambda: 0.0) -> T:
        started = time.monotonic()
        try:
            while not concurrent.futures.wait([answer], timeout=1.0).done:
                if time.monotonic() - max(started, progress()) > ANSWER_SECONDS:
                    self._lose(gone(self.broker, "does not answer", code="BROKER_SILENT"))
                    self.close(patience=0)
            return answer.result()
        except HubError as error:
            raise again(error) from error
        finally:
            with self._lock:
                self._waiting.discard(answer)

    def close(self, *, patience: float = FAREWELL_SECONDS) -> None:
        """End the connection, once everything that was posted is done; idempotent."""
        for action, seconds in ((self._part, patience), (self._terminate_soon, FAREWELL_SECONDS)):
            if self._thread.is_alive():
                self._ioloop.add_callback_threadsafe(action)
                self._thread.join(seconds)

    def _terminate_soon(self) -> None:
        self._connection._terminate_stream(pika.exceptions.StreamLostError("given up"))  # noqa: SLF001


def open_patiently(opens: Callable[[], Link], *, seconds: float, give_up: threading.Event) -> Link:
    """A link, tried for about so many seconds, at least once; TransientError of the last attempt.

    The pauses grow and vary, so that the many clients of a broker that comes back don't all come at once.
    """
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        wait=wait_random_exponential(multiplier=0.1, max=10),
        stop=stop_before_delay(seconds),
        sleep=sleep_using_event(give_up),
        reraise=True,
    )(opens)
