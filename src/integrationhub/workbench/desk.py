"""What an analyst may ask of a hub: tools over a connector's files, explanations and traces of what is stored."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from integrationhub.canonical.units import targets
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.errors import NotFound
from integrationhub.intake.builders import build_locator, build_pieces
from integrationhub.intake.pieces import PieceReader, SourceFile
from integrationhub.intake.tracing import Trace, Tracer
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.quality.shapes import shapes_of
from integrationhub.receive.originals import Originals
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.store import trace
from integrationhub.store.deliveries import Delivery, Kind
from integrationhub.store.inbox import Inbox
from integrationhub.store.slices import Slices
from integrationhub.store.unit_of_work import Store
from integrationhub.workbench.archive import MappingArchive
from integrationhub.workbench.bench import Workbench
from integrationhub.workbench.explain import Explainer, Explanation

INSTALLED = "installed"
"""Names the version that is installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalystDesk:
    """Reads what was kept, and changes nothing. `mapping` compiles the installed specs, or those in a folder."""

    catalogue: Catalogue
    settings: Settings
    store: Callable[[], Store]
    originals: Callable[[], Originals]
    archive: MappingArchive
    mapping: Callable[[Descriptor, Path | None], CompiledMapping]

    def version(self, connector: str, name: str) -> CompiledMapping:
        """A version of a connector's mapping: `installed`, `kept` (last), a folder, a kept version or a mapping id."""
        descriptor = self.catalogue.connector(connector)
        if name == INSTALLED:
            return self.mapping(descriptor, None)
        folder = Path(name)
        if not folder.is_dir():
            folder = self.archive.find(descriptor.name, name).folder
        return self.mapping(descriptor, folder)

    def workbench(self, connector: str) -> Workbench:
        """The analyst's tools over a connector."""
        descriptor = self.catalogue.connector(connector)
        mapping = self.mapping(descriptor, None)
        return Workbench(
            reader=self._pieces(descriptor, mapping),
            mapping=mapping,
            shapes=shapes_of(descriptor),
            is_made=build_locator(descriptor).is_made,
        )

    def stored(self, connector: str) -> list[SourceFile]:
        """Every accepted file of a connector, or every message that was applied, from its kept original."""
        descriptor = self.catalogue.connector(connector)
        with self.store().read() as connection:
            deliveries = trace.loaded(
                connection, descriptor.name, Kind.FILE if descriptor.takes_files else Kind.MESSAGE
            )
        return [self.file_of(delivery) for delivery in deliveries]

    def file_of(self, delivery: Delivery) -> SourceFile:
        """A delivery's kept original."""
        return SourceFile(
            name=delivery.name,
            open=lambda: self._opened(delivery),
            delivery_id=delivery.delivery_id,
            sequence=delivery.sequence,
            as_at=delivery.as_at or (delivery.received_at.date() if delivery.kind is Kind.MESSAGE else None),
        )

    @contextmanager
    def _opened(self, delivery: Delivery) -> Iterator[BinaryIO]:
        """The bytes as they came: small messages lie in the store, everything else among the originals."""
        body: bytes | None = None
        if delivery.kind is Kind.MESSAGE:
            with self.store().read() as connection:
                kept = Inbox(connection).get(delivery.delivery_id)
            body = kept.body if kept is not None else None
        if body is not None:
            yield io.BytesIO(body)
            return
        with self.originals().open(delivery.sha256) as stream:
            yield stream

    def explainer(self, connector: str, mapping_id: str | None = None) -> Explainer:
        """Explains records of a connector's files, by the version with that mapping id if it is kept."""
        descriptor = self.catalogue.connector(connector)
        mapping = self._version_of(descriptor, mapping_id)
        reader, tracer = self._pieces(descriptor, mapping), self.tracer(connector, mapping_id)
        return Explainer(reader=reader, mapping=mapping, tracer=tracer)

    def tracer(self, connector: str, mapping_id: str | None = None) -> Tracer:
        """Traces canonical rows of a connector back to their bytes, by the version that made them if it is kept."""
        descriptor = self.catalogue.connector(connector)
        mapping = self._version_of(descriptor, mapping_id)
        return Tracer(self._pieces(descriptor, mapping), build_locator(descriptor), mapping, self.file_of)

    def explanations(self, reference: str, *, unmasked: bool = False) -> Iterator[Explanation]:
        """Every row of the store that goes by a reference, explained from its original."""
        with self.store().read() as connection:
            found = trace.by_any(connection, reference.removeprefix("93:"))
        for row in found:
            if row.delivery is not None:
                explainer = self.explainer(row.delivery.connector, str(row.values["mapping_id"]))
                file = self.file_of(row.delivery)
                told = explainer.explain(file, int(row.values["record_no"]), unmasked=unmasked)
                entity, ref = targets()[row.entity], row.values["source_ref"]
                rows = tuple(one for one in told.rows if one.is_of(entity, row.identifier, ref))
                yield replace(told, rows=rows or told.rows)

    def traces(self, reference: str) -> Iterator[tuple[Trace, list[dict[str, Any]]]]:
        """Every row that goes by a reference, traced, with the events about it; of a debt its balances too."""
        with self.store().read() as connection:
            for row in trace.by_any(connection, reference.removeprefix("93:")):
                for item in [row, *(trace.of_debt(connection, row.identifier) if row.entity == "debts" else [])]:
                    if item.delivery is not None:
                        slices = Slices(connection).all(item.delivery.delivery_id)
                        tracer = self.tracer(item.delivery.connector, str(item.values["mapping_id"]))
                        traced = tracer.trace(item, slices)
                        yield traced, trace.events_of(connection, item.identifier)

    def messages(self, reference: str) -> list[dict[str, Any]]:
        """The messages with this delivery id or message id: what became of each, and what came of it."""
        with self.store().read() as connection:
            return trace.messages(connection, reference)

    def _pieces(self, descriptor: Descriptor, mapping: CompiledMapping) -> PieceReader:
        synthetic = self.settings.synthetic_identities
        return build_pieces(descriptor, mapping, slice_bytes=self.settings.slice_bytes, synthetic_identities=synthetic)

    def _version_of(self, descriptor: Descriptor, mapping_id: str | None) -> CompiledMapping:
        """The version with that mapping id; where it was never kept, the installed one explains as well as it can."""
        installed = self.mapping(descriptor, None)
        if mapping_id is None or mapping_id in installed.all_mapping_ids:
            return installed
        with suppress(NotFound):
            return self.mapping(descriptor, self.archive.find(descriptor.name, mapping_id).folder)
        return installed
