"""The tables of a connector descriptor that speak of messages."""

from typing import Annotated

from pydantic import Field

from integrationhub.sdk.part import Part


class Binding(Part):
    """What a connector's queue is bound to: an exchange of the source, and a pattern of routing keys, or at a direct
    exchange one of them.
    """

    exchange: str
    key: str = "#"
    direct: bool = False


class Signature(Part):
    """How bodies are signed: HMAC-SHA-256 in lower-case hexadecimal, behind `prefix`, with a key of the keys file.

    Either a header names the key (one of `hmac_keys`), or there is one `secret` (a member of the keys file, text).
    """

    header: str
    key_header: str = ""
    keys: tuple[str, ...] = ()  # ids of the keys that this feed may use
    prefix: str = ""
    secret: str | None = None


class MessageRules(Part):
    """[messages]: how messages arrive. Without bindings the source publishes to the queue itself.

    `ordered`: messages about one entity must be taken in the order in which they were published, so of several hosts
    one takes them and the others stand by. `order_header`: the header that names what a message is about, where one
    does; without it the content's own name is looked for. `webhook`: the path on the daemon's HTTP port to which the
    source posts messages, which go the way of all others from there.
    """

    bindings: tuple[Binding, ...] = ()
    ordered: bool = False
    order_header: str | None = None
    signature: Signature | None = None
    webhook: Annotated[str, Field(pattern=r"^/webhooks/[a-z0-9-]+$")] | None = None

    @property
    def direct(self) -> frozenset[str]:
        """The exchanges that are direct ones."""
        return frozenset(item.exchange for item in self.bindings if item.direct)


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
