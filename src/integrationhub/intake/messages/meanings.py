"""What the messages of a connector mean, by what its descriptor says."""

from typing import Any

from integrationhub.decode.xml.message import MessageReader
from integrationhub.errors import NotFound
from integrationhub.intake.messages.case_changes import CaseChanges
from integrationhub.intake.messages.taker import Meaning
from integrationhub.sdk.descriptor import Descriptor


def meaning_of(descriptor: Descriptor, *, environment: str) -> Meaning[Any]:
    """The meaning of a connector's messages. NotFound: it takes none."""
    if descriptor.events is not None:
        reader = MessageReader(descriptor.text_of(descriptor.events.schema_file))
        return CaseChanges(descriptor=descriptor, rules=descriptor.events, reader=reader, environment=environment)
    raise NotFound(f"connector {descriptor.name} takes no messages", code="NO_MESSAGES")
