"""The hub without migrations: store, originals, transports, pipelines of files and messages, the analyst's tools."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from integrationhub.catalogue import Catalogue
from integrationhub.errors import HubError, TransientError
from integrationhub.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from integrationhub.arrears.desk import ArrearsDesk
    from integrationhub.arrears.judging import Judging
    from integrationhub.arrears.policy import Policy
    from integrationhub.config import Settings
    from integrationhub.intake.captures import CaptureTaker
    from integrationhub.intake.desk import FeedDesk
    from integrationhub.intake.messages.taker import InboxTaker
    from integrationhub.intake.units.alone import StandaloneCheck
    from integrationhub.intake.units.bench import Bench
    from integrationhub.intake.units.heard import Hearing
    from integrationhub.mapping.compile import CompiledMapping, Mapping
    from integrationhub.pipeline import Pipeline
    from integrationhub.publish.relay import Relay
    from integrationhub.receive.originals import Originals
    from integrationhub.sdk.descriptor import Descriptor
    from integrationhub.sdk.transport import MessageSource, Publisher
    from integrationhub.sdk.units import Options
    from integrationhub.store.unit_of_work import Store
    from integrationhub.unit_pipeline import UnitPipeline
    from integrationhub.workbench.archive import MappingArchive
    from integrationhub.workbench.desk import AnalystDesk


def standalone_check(descriptor: Descriptor) -> StandaloneCheck:
    """What judges files of a connector by their public standard alone; it needs neither settings nor store."""
    from integrationhub.intake.units.alone import StandaloneCheck

    return StandaloneCheck(descriptor)


def utc_now() -> datetime:
    """The clock of everything that isn't given another one."""
    return datetime.now(UTC)


class Core:
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
        self._takers: dict[str, InboxTaker[Any]] = {}
        self.hearing: Hearing | None = None  # is told every verdict on units, where it is set before anything is taken

    @cached_property
    def store(self) -> Store:
        """The store; an embedded one is created where there is none, in a trial as a throw-away."""
        from integrationhub.store.unit_of_work import Store

        url = self.settings.store_url
        file = Path(url.removeprefix("sqlite:///"))
        if self._trial and (not file.exists() if url.startswith("sqlite") else Store.is_empty(url)):
            self._scratch = TemporaryDirectory(prefix="integrationhub-trial-")
            return Store.open(f"sqlite:///{self._scratch.name}/hub.sqlite3", create=True)
        if url.startswith("sqlite"):
            file.parent.mkdir(parents=True, exist_ok=True)
        return Store.open(url, create=True)

    @cached_property
    def checkpoint(self) -> Callable[[str], None]:
        """Told of named points of the work, for fault tests."""
        from integrationhub.checkpoints import crash_points

        return crash_points()

    @cached_property
    def originals(self) -> Originals:
        """Where every file and message is kept as it arrived."""
        from integrationhub.receive.originals import Originals

        return Originals(self.settings.originals)

    @cached_property
    def publisher(self) -> Publisher:
        """Sends messages to the broker of the settings."""
        from integrationhub.store.embedded_broker import EmbeddedPublisher

        if self.settings.broker_url == "embedded":
            return EmbeddedPublisher(self._broker_file)
        from integrationhub.publish.rabbit import RabbitPublisher

        return RabbitPublisher(self.settings.broker_url)

    def source(
        self,
        queue: str,
        *,
        bindings: tuple[tuple[str, str], ...] = (),
        direct: frozenset[str] = frozenset(),
        ordered: bool = False,
        limit: int = 500,
    ) -> MessageSource:
        """Takes messages from a queue; the caller closes it."""
        from integrationhub.store.embedded_broker import EmbeddedSource

        if self.settings.broker_url == "embedded":
            return EmbeddedSource(self._broker_file, queue, bindings=bindings, ordered=ordered)
        from integrationhub.receive.rabbit import RabbitSource

        url = self.settings.broker_url
        return RabbitSource(url, queue, bindings=bindings, direct=direct, ordered=ordered, limit=limit)

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
        from integrationhub.intake.outbox import StoreOutbox
        from integrationhub.publish.relay import Relay

        return Relay(StoreOutbox(self.store, self.checkpoint), self.publisher, self.clock)

    def publish_waiting(self) -> None:
        """Send the events that wait now. A broker that is away delays events, never the work that made them."""
        try:
            self.relay().drain()
        except TransientError as exc:
            logger().warning("relay_waits", reason=exc.code)

    def judging(self) -> Judging:
        """Judges the cases that files have changed."""
        from integrationhub.arrears.judging import Judging

        processes = self.settings.judging_processes or len(os.sched_getaffinity(0))
        return Judging(
            store=self.store,
            clock=self.clock,
            environment=self.settings.environment,
            processes=processes,
            checkpoint=self.checkpoint,
        )

    @cached_property
    def arrears_policy(self) -> Policy:
        """The thresholds of segments, labels and write-off classes."""
        from integrationhub.arrears.policy import FILE, Policy

        return Policy.of_file(self.catalogue.policy(FILE))

    def arrears_desk(self) -> ArrearsDesk:
        """Answers questions about judged arrears."""
        from integrationhub.arrears.desk import ArrearsDesk

        return ArrearsDesk(store=self.store, policy=self.arrears_policy)

    def desk(self, connector: str) -> FeedDesk:
        """The feed of a connector, for operators."""
        from integrationhub.intake.desk import FeedDesk

        return FeedDesk(store=self.store, connector=connector, clock=self.clock)

    def pipeline(self, name: str) -> Pipeline:
        """The pipeline of a connector, by its name or an alias."""
        descriptor = self.catalogue.connector(name)
        if descriptor.name not in self._pipelines:
            self._pipelines[descriptor.name] = self._build_pipeline(descriptor)
        return self._pipelines[descriptor.name]

    def reread(self) -> None:
        """Take connectors and mappings as they are on disk now; where one in use is faulty, all stay as they were."""
        before = self.catalogue, self._pipelines, self._takers
        self.catalogue = Catalogue.standard(folders=self.settings.catalogue_folders)
        self._pipelines, self._takers = {}, {}
        try:
            for name in before[1]:
                self.pipeline(name)
        except HubError:
            self.catalogue, self._pipelines, self._takers = before
            raise

    def _build_pipeline(self, descriptor: Descriptor) -> Pipeline:
        if descriptor.units is not None:
            return self._unit_pipeline(descriptor)
        from integrationhub.intake.builders import build_intake, layout_for
        from integrationhub.intake.loading import Loader
        from integrationhub.pipeline import Pipeline

        specs = self._specs(descriptor)
        if not self._trial:
            folder = self.catalogue.mapping(descriptor.connector.mappings)
            self.archive.keep(specs.compile(layout_for(descriptor)), folder)
        settings = self.settings
        intake = build_intake(
            descriptor, specs, slice_bytes=settings.slice_bytes, uncompressed_limit=settings.uncompressed_limit
        )
        return Pipeline(
            descriptor=descriptor,
            header_of=intake.header_of,
            stager=intake.stager,
            loader=Loader(descriptor=descriptor, environment=self.settings.environment, checkpoint=self.checkpoint),
            store=self.store,
            originals=self.originals,
            work_folder=self.settings.data_dir / "work",
            synthetic_identities=self.settings.synthetic_identities,
            clock=self.clock,
        )

    def _unit_pipeline(self, descriptor: Descriptor) -> UnitPipeline:
        """The pipeline of a feed that is judged in units."""
        from integrationhub.intake.builders import NoFiles
        from integrationhub.intake.loading import Loader
        from integrationhub.intake.measure import no_header
        from integrationhub.intake.units import registry
        from integrationhub.intake.units.loading import UnitLoader
        from integrationhub.unit_pipeline import UnitPipeline

        options = self._unit_options(descriptor)
        kinds = {kind.decoder for kind in descriptor.delivery.files}
        return UnitPipeline(
            descriptor=descriptor,
            header_of=no_header,
            stager=NoFiles(),
            loader=Loader(descriptor=descriptor, environment=self.settings.environment, checkpoint=self.checkpoint),
            store=self.store,
            originals=self.originals,
            work_folder=self.settings.data_dir / "work",
            synthetic_identities=self.settings.synthetic_identities,
            clock=self.clock,
            decoders={name: registry.decoder(name, options) for name in kinds},
            mapping=self._mapping_at_work(descriptor),
            units=UnitLoader(descriptor=descriptor, bench=self._bench(descriptor), checkpoint=self.checkpoint),
            hearing=self.hearing,
        )

    def _unit_options(self, descriptor: Descriptor) -> Options:
        from integrationhub.intake.units import registry

        settings = self.settings
        return registry.options_of(
            descriptor, synthetic_identities=settings.synthetic_identities, keys_file=settings.keys_file
        )

    def _bench(self, descriptor: Descriptor) -> Bench:
        """Who judges a feed's units."""
        from integrationhub.intake.units import registry
        from integrationhub.intake.units.bench import Bench

        judge = registry.judge(registry.rules_of(descriptor).judge, self._unit_options(descriptor))
        return Bench(connector=descriptor.name, environment=self.settings.environment, judge=judge)

    def _mapping_at_work(self, descriptor: Descriptor) -> CompiledMapping:
        """The mapping of a connector, kept as a version that was put to work."""
        from integrationhub.intake.builders import layout_for

        mapping = self._specs(descriptor).compile(layout_for(descriptor))
        if not self._trial:
            self.archive.keep(mapping, self.catalogue.mapping(descriptor.connector.mappings))
        return mapping

    def taker(self, name: str) -> InboxTaker[Any]:
        """Takes the messages of a connector, by its name or an alias. NotFound: it has none."""
        from integrationhub.intake.messages.meanings import meaning_of
        from integrationhub.intake.messages.taker import InboxTaker

        descriptor = self.catalogue.connector(name)
        if descriptor.name not in self._takers:
            self._takers[descriptor.name] = InboxTaker(
                connector=descriptor.name,
                meaning=meaning_of(
                    descriptor,
                    mapping=partial(self._mapping_at_work, descriptor),
                    originals=self.originals,
                    settings=self.settings,
                    bench=partial(self._bench, descriptor),
                    hearing=self.hearing,
                ),
                store=self.store,
                originals=self.originals,
                checkpoint=self.checkpoint,
            )
        return self._takers[descriptor.name]

    def captures(self, name: str) -> CaptureTaker:
        """Takes recorded messages of a connector. NotFound: it has none."""
        from integrationhub.intake.captures import CaptureTaker

        return CaptureTaker(taker=self.taker(name), clock=self.clock)

    def _specs(self, descriptor: Descriptor, folder: Path | None = None) -> Mapping:
        from integrationhub.mapping.compile import Mapping

        return Mapping.of_folder(folder or self.catalogue.mapping(descriptor.connector.mappings))

    @cached_property
    def archive(self) -> MappingArchive:
        """The versions of mappings that were put to work here."""
        from integrationhub.workbench.archive import MappingArchive

        return MappingArchive(self.settings.data_dir / "mappings")

    def mapping(self, descriptor: Descriptor, folder: Path | None = None) -> CompiledMapping:
        """The compiled mapping of a connector, checked against its layout: the installed one, or that in `folder`."""
        from integrationhub.intake.builders import layout_for

        return self._specs(descriptor, folder).compile(layout_for(descriptor))

    @cached_property
    def analyst(self) -> AnalystDesk:
        """What an analyst may ask: tools over files, explanations, traces."""
        from integrationhub.workbench.desk import AnalystDesk

        return AnalystDesk(
            catalogue=self.catalogue,
            settings=self.settings,
            store=lambda: self.store,
            originals=lambda: self.originals,
            archive=self.archive,
            mapping=self.mapping,
        )

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
