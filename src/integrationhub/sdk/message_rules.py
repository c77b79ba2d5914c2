"""The tables of a connector descriptor that speak of messages."""

from pydantic import Field

from integrationhub.sdk.part import Part


class Binding(Part):
    """What a connector's queue is bound to: a topic exchange of the source, and a pattern of routing keys."""

    exchange: str
    key: str = "#"


class MessageRules(Part):
    """[messages]: how messages arrive. Without bindings the source publishes to the queue itself.

    `ordered`: messages about one entity must be taken in the order in which they were published, so of several hosts
    one takes them and the others stand by.
    """

    bindings: tuple[Binding, ...] = ()
    ordered: bool = False


class EventRules(Part):
    """[events]: change events of single cases that follow a book, as recorded or taken from a queue."""

    schema_file: str = Field(alias="schema")
    routing_prefix: str
    case_header: str
    sequence_header: str
    schema_header: str
    schema_version: str
    case: str  # attributes of the root
    sequence: str
    type: str
    occurred: str
    unnamed: tuple[str, ...] = ()  # attributes of the root that say nothing of the case
    kinds: dict[str, str]  # type → the child that it comes with
