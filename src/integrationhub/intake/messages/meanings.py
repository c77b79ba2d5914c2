"""What the messages of a connector mean, by what its descriptor says."""

from pathlib import Path
from typing import Any

from integrationhub.decode.json_table import JsonTable
from integrationhub.decode.xml.message import MessageReader
from integrationhub.errors import NotFound
from integrationhub.intake.messages.case_changes import CaseChanges
from integrationhub.intake.messages.feed import FeedMeaning
from integrationhub.intake.messages.feed_rows import FeedMapping
from integrationhub.intake.messages.notice import NoticeReader
from integrationhub.intake.messages.signatures import Verifier
from integrationhub.intake.messages.taker import Meaning
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.receive.originals import Originals
from integrationhub.sdk.descriptor import Descriptor, Feed, JsonLayout


def case_changes(descriptor: Descriptor, *, environment: str) -> Meaning[Any]:
    """The meaning of a connector's change events. NotFound: it has none."""
    if descriptor.events is None:
        raise NotFound(f"connector {descriptor.name} takes no messages", code="NO_MESSAGES")
    reader = MessageReader(descriptor.text_of(descriptor.events.schema_file))
    return CaseChanges(descriptor=descriptor, rules=descriptor.events, reader=reader, environment=environment)


def feed_meaning(
    descriptor: Descriptor,
    feed: Feed,
    mapping: CompiledMapping,
    *,
    originals: Originals,
    environment: str,
    synthetic_identities: bool,
    keys_file: Path | None,
) -> Meaning[Any]:
    """The meaning of a JSON feed. ConfigurationError: a key is missing."""
    assert isinstance(descriptor.any_layout, JsonLayout)
    table = JsonTable(descriptor.any_layout)
    signature = descriptor.messages.signature if descriptor.messages is not None else None
    verifier = None if signature is None else Verifier.of(signature, keys_file)
    return FeedMeaning(
        descriptor=descriptor,
        feed=feed,
        reader=NoticeReader(connector=descriptor.name, feed=feed, table=table, verifier=verifier),
        mapping=FeedMapping(
            table=table,
            mapping=mapping,
            source_system=descriptor.connector.source_system,
            synthetic_identities=synthetic_identities,
        ),
        originals=originals,
        environment=environment,
    )
