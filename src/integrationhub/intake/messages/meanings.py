"""What the messages of a connector mean, by what its descriptor says."""

from collections.abc import Callable
from typing import Any

from integrationhub.config import Settings
from integrationhub.decode.json_table import JsonTable
from integrationhub.decode.xml.message import MessageReader
from integrationhub.errors import NotFound
from integrationhub.intake.messages.case_changes import CaseChanges
from integrationhub.intake.messages.feed import FeedMeaning
from integrationhub.intake.messages.feed_rows import FeedMapping
from integrationhub.intake.messages.notice import NoticeReader
from integrationhub.intake.messages.signatures import Verifier
from integrationhub.intake.messages.taker import Meaning
from integrationhub.intake.units import registry
from integrationhub.intake.units.bench import Bench
from integrationhub.intake.units.heard import Hearing
from integrationhub.intake.units.messages import UnitMeaning
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.receive.originals import Originals
from integrationhub.sdk.descriptor import Descriptor, Feed, JsonLayout, UnitRules


def meaning_of(
    descriptor: Descriptor,
    *,
    mapping: Callable[[], CompiledMapping],
    originals: Originals,
    settings: Settings,
    bench: Callable[[], Bench],
    hearing: Hearing | None = None,
) -> Meaning[Any]:
    """The meaning of a connector's messages; `mapping` puts its specs to work, where it has any for messages.

    `bench` judges the units of a feed that is judged in them; `hearing` is told its verdicts.
    NotFound: it takes none. ConfigurationError: a key is missing.
    """
    if descriptor.units is not None:
        return _units(descriptor, descriptor.units, mapping, settings, bench=bench(), hearing=hearing)
    if descriptor.feed is not None:
        return _feed(descriptor, descriptor.feed, mapping(), originals, settings)
    return case_changes(descriptor, environment=settings.environment)


def case_changes(descriptor: Descriptor, *, environment: str) -> Meaning[Any]:
    """The meaning of a connector's change events. NotFound: it has none."""
    if descriptor.events is None:
        raise NotFound(f"connector {descriptor.name} takes no messages", code="NO_MESSAGES")
    reader = MessageReader(descriptor.text_of(descriptor.events.schema_file))
    return CaseChanges(descriptor=descriptor, rules=descriptor.events, reader=reader, environment=environment)


def _units(
    descriptor: Descriptor,
    rules: UnitRules,
    mapping: Callable[[], CompiledMapping],
    settings: Settings,
    *,
    bench: Bench,
    hearing: Hearing | None,
) -> Meaning[Any]:
    if rules.reader is None:
        raise NotFound(f"connector {descriptor.name} takes files, no messages", code="NO_MESSAGES")
    synthetic = settings.synthetic_identities
    options = registry.options_of(descriptor, synthetic_identities=synthetic, keys_file=settings.keys_file)
    return UnitMeaning(
        bench=bench,
        reader=registry.reader(rules.reader, options),
        mapping=mapping(),
        verifier=_verifier(descriptor, settings),
        source_system=descriptor.connector.source_system,
        synthetic_identities=synthetic,
        largest=rules.largest,
        hearing=hearing,
    )


def _verifier(descriptor: Descriptor, settings: Settings) -> Verifier | None:
    signature = descriptor.messages.signature if descriptor.messages is not None else None
    return None if signature is None else Verifier.of(signature, settings.keys_file)


def _feed(
    descriptor: Descriptor, feed: Feed, mapping: CompiledMapping, originals: Originals, settings: Settings
) -> Meaning[Any]:
    assert isinstance(descriptor.any_layout, JsonLayout)
    table = JsonTable(descriptor.any_layout)
    return FeedMeaning(
        descriptor=descriptor,
        feed=feed,
        reader=NoticeReader(
            connector=descriptor.name, feed=feed, table=table, verifier=_verifier(descriptor, settings)
        ),
        mapping=FeedMapping(
            table=table,
            mapping=mapping,
            source_system=descriptor.connector.source_system,
            synthetic_identities=settings.synthetic_identities,
        ),
        originals=originals,
        environment=settings.environment,
    )
