"""Where objects are wired: settings and catalogue in, a hub ready to work out. Nothing else creates services.

Everything is made when first asked for, so that a command opens only what it uses.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import polars as pl

from integrationhub.arrears.desk import ArrearsDesk
from integrationhub.arrears.judging import Judging
from integrationhub.arrears.policy import FILE as POLICY_FILE
from integrationhub.arrears.policy import Policy
from integrationhub.arrears.rows import Rows
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.decode.xml.message import MessageReader
from integrationhub.errors import Conflict, NotFound, TransientError
from integrationhub.intake.builders import build_decoder, build_intake, layout_for
from integrationhub.intake.captures import CaptureTaker
from integrationhub.intake.desk import FeedDesk
from integrationhub.intake.loading import Loader
from integrationhub.intake.outbox import StoreOutbox
from integrationhub.intake.tracing import PlaceTracer, Trace, Tracer
from integrationhub.mapping.compile import CompiledMapping, Mapping
from integrationhub.pipeline import Pipeline
from integrationhub.publish.rabbit import RabbitPublisher
from integrationhub.publish.relay import Relay
from integrationhub.receive.originals import Originals
from integrationhub.receive.rabbit import RabbitSource
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.sdk.transport import MessageSource, Publisher
from integrationhub.store import trace
from integrationhub.store.embedded_broker import EmbeddedPublisher, EmbeddedSource
from integrationhub.store.slices import Slices
from integrationhub.store.unit_of_work import Reading, Store
from integrationhub.telemetry import logger


def utc_now() -> datetime:
    """The clock of everything that isn't given another one."""
    return datetime.now(UTC)


def crash_points() -> Callable[[str], None]:
    """What is called at named points of the work: nothing, unless a fault test asks the process to kill itself there.

    `INTEGRATIONHUB_TEST_CRASH_AT=POINT` or `POINT:N` (the Nth time) sends SIGKILL to this process at that point.
    """
    wanted, _, times = os.environ.get("INTEGRATIONHUB_TEST_CRASH_AT", "").partition(":")
    left = int(times or 1)

    def reached(point: str) -> None:
        nonlocal left
        if point == wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), 9)

    return reached


class Hub:
    """One hub: its store, originals, transports and pipelines. Use as a context manager; leaving it closes all.

    A `trial` hub serves commands that must leave nothing behind: it makes no store of its own accord.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        *,
        clock: Callable[[], datetime] = utc_now,
        trial: bool = False,
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.clock = clock
        self._trial = trial
        self._scratch: TemporaryDirectory[str] | None = None
        self._pipelines: dict[str, Pipeline] = {}

    @cached_property
    def store(self) -> Store:
        """The store; an embedded one is created where there is none, in a trial as a throw-away."""
        url = self.settings.store_url
        file = Path(url.removeprefix("sqlite:///"))
        if url.startswith("sqlite"):
            if self._trial and not file.exists():
                self._scratch = TemporaryDirectory(prefix="integrationhub-trial-")
                return Store.open(f"sqlite:///{self._scratch.name}/hub.sqlite3", create=True)
            file.parent.mkdir(parents=True, exist_ok=True)
        return Store.open(url, create=True)

    @cached_property
    def originals(self) -> Originals:
        """Where every file and message is kept as it arrived."""
        return Originals(self.settings.originals)

    @cached_property
    def publisher(self) -> Publisher:
        """Sends messages to the broker of the settings."""
        if self.settings.broker_url == "embedded":
            return EmbeddedPublisher(self._broker_file)
        return RabbitPublisher(self.settings.broker_url)

    def source(self, queue: str) -> MessageSource:
        """Takes messages from a queue; the caller closes it."""
        if self.settings.broker_url == "embedded":
            return EmbeddedSource(self._broker_file, queue)
        return RabbitSource(self.settings.broker_url, queue)

    @property
    def _broker_file(self) -> Path:
        """The SQLite file of the embedded broker: the store's own, or one for itself beside PostgreSQL."""
        url = self.settings.store_url
        if url.startswith("sqlite"):
            self.store  # noqa: B018 - makes the file
            return Path(url.removeprefix("sqlite:///"))
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        return self.settings.data_dir / "broker.sqlite3"

    def relay(self) -> Relay:
        """Moves events from the outbox to the broker."""
        return Relay(StoreOutbox(self.store), self.publisher, self.clock)

    def publish_waiting(self) -> None:
        """Send the events that wait now. A broker that is away delays events, never the work that made them."""
        try:
            self.relay().drain()
        except TransientError as exc:
            logger().warning("relay_waits", reason=exc.code)

    def judging(self) -> Judging:
        """Judges the cases that files have changed."""
        return Judging(store=self.store, clock=self.clock, checkpoint=crash_points())

    def judge_waiting(self) -> bool:
        """Judge what has changed; False when another process is judging, which may or may not come to it."""
        try:
            self.judging().run()
        except Conflict as exc:
            logger().info("judging_elsewhere", reason=exc.code)
            return False
        return True

    @cached_property
    def arrears_policy(self) -> Policy:
        """The thresholds of segments, labels and write-off classes."""
        return Policy.of_file(self.catalogue.policy(POLICY_FILE))

    def arrears_desk(self) -> ArrearsDesk:
        """Answers questions about judged arrears."""
        return ArrearsDesk(store=self.store, policy=self.arrears_policy)

    def judged_rows(self, connection: Reading, as_at: date | None) -> dict[str, Callable[[], Iterator[pl.DataFrame]]]:
        """Exports that show verdicts, by name, as at a day."""
        rows = Rows(connection, self.arrears_policy, as_at=as_at)
        return {"arrears": rows.arrears, "debts": rows.debts}

    def desk(self, connector: str) -> FeedDesk:
        """The feed of a connector, for operators."""
        return FeedDesk(store=self.store, connector=connector, clock=self.clock)

    def pipeline(self, name: str) -> Pipeline:
        """The pipeline of a connector, by its name or an alias."""
        descriptor = self.catalogue.connector(name)
        if descriptor.name not in self._pipelines:
            self._pipelines[descriptor.name] = self._build_pipeline(descriptor)
        return self._pipelines[descriptor.name]

    def _build_pipeline(self, descriptor: Descriptor) -> Pipeline:
        intake = build_intake(descriptor, self._specs(descriptor), slice_bytes=self.settings.slice_bytes)
        checkpoint = crash_points()
        return Pipeline(
            descriptor=descriptor,
            header_of=intake.header_of,
            stager=intake.stager,
            loader=Loader(descriptor=descriptor, environment=self.settings.environment, checkpoint=checkpoint),
            store=self.store,
            originals=self.originals,
            work_folder=self.settings.data_dir / "work",
            synthetic_identities=self.settings.synthetic_identities,
            clock=self.clock,
        )

    def captures(self, name: str) -> CaptureTaker:
        """Takes recorded change events of a connector. NotFound: it has none."""
        descriptor = self.catalogue.connector(name)
        if descriptor.events is None:
            raise NotFound(f"connector {descriptor.name} takes no recorded events", code="NO_EVENTS")
        return CaptureTaker(
            descriptor=descriptor,
            rules=descriptor.events,
            reader=MessageReader(descriptor.text_of(descriptor.events.schema_file)),
            store=self.store,
            originals=self.originals,
            environment=self.settings.environment,
            clock=self.clock,
        )

    def _specs(self, descriptor: Descriptor) -> Mapping:
        return Mapping.of_folder(self.catalogue.mapping(descriptor.connector.mappings))

    def mapping(self, descriptor: Descriptor) -> CompiledMapping:
        """The compiled mapping of a connector, checked against its layout."""
        return self._specs(descriptor).compile(layout_for(descriptor))

    def tracer(self, connector: str) -> Tracer | PlaceTracer:
        """Traces canonical rows of a connector back to their bytes."""
        descriptor = self.catalogue.connector(connector)
        if descriptor.records is None:
            return PlaceTracer(self.mapping(descriptor))
        return Tracer(build_decoder(descriptor), self.mapping(descriptor), self.originals)

    def traces(self, reference: str) -> Iterator[tuple[Trace, list[dict[str, Any]]]]:
        """Every row that goes by a reference, traced, with the events about it; of a debt its balances too."""
        bare = reference.removeprefix("93:")
        with self.store.read() as connection:
            rows = trace.by_identifier(connection, bare.replace("-", "")) or trace.by_reference(connection, bare)
            for row in rows:
                for item in [row, *(trace.of_debt(connection, row.identifier) if row.entity == "debts" else [])]:
                    if item.delivery is not None:
                        slices = Slices(connection).all(item.delivery.delivery_id)
                        traced = self.tracer(item.delivery.connector).trace(item, slices)
                        yield traced, trace.events_of(connection, item.identifier)

    def close(self) -> None:
        """Give everything back that was opened."""
        if "publisher" in self.__dict__:
            self.publisher.close()
        if "store" in self.__dict__:
            self.store.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
