"""One small XML message, validated: the attributes of its root and of the one child that says what happened.

The same dangers are refused as for a whole extract: a DOCTYPE in any encoding before a parser sees it, entities,
anything that would be fetched. A digest over what the message says tells repeats from contradictions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.xml.prolog import has_doctype
from integrationhub.errors import RecordRejected

LARGEST = 1 << 20
"""Bytes of a message that is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a message says: attributes of the root and of its child, and the texts of the elements in that. `digest`
    covers everything but the attributes that name the message itself.
    """

    root: Mapping[str, str]
    kind: str
    values: Mapping[str, str]
    lines: tuple[str, ...]
    digest: str


class MessageReader:
    """Reads messages of one schema. ConfigurationError: it is no schema."""

    def __init__(self, schema: bytes) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        self._schema = etree.XMLSchema(etree.fromstring(schema, parser))

    def read(self, body: bytes, *, unnamed: frozenset[str]) -> Message:
        """The message; `unnamed` attributes of the root don't count for its digest.

        RecordRejected: DOCTYPE_FORBIDDEN, XML_INVALID or SCHEMA_INVALID.
        """
        if len(body) > LARGEST:
            raise RecordRejected(f"the message has more than {LARGEST} bytes", code="XML_INVALID")
        if has_doctype(body):
            raise RecordRejected("a document type declaration; none is ever read", code="DOCTYPE_FORBIDDEN")
        root = self._parsed(body)
        if not self._schema.validate(root):
            raise RecordRejected("the message is not valid against its schema", code="SCHEMA_INVALID")
        child = root[0]
        said = {name: value for name, value in root.attrib.items() if name not in unnamed}
        texts = [f"{item.tag}={item.text}" for item in child]
        digest = derive("message", *sorted(said.items()), child.tag, *sorted(child.attrib.items()), *texts)
        return Message(
            root=dict(root.attrib),
            kind=etree.QName(child).localname,
            values=dict(child.attrib),
            lines=tuple(item.text or "" for item in child),
            digest=digest,
        )

    def _parsed(self, body: bytes) -> "etree._Element":
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            root = etree.fromstring(body, parser)
        except (etree.XMLSyntaxError, ValueError):
            raise RecordRejected("the message is not well-formed XML", code="XML_INVALID") from None
        if root.getroottree().docinfo.doctype:
            raise RecordRejected("a document type declaration; none is ever read", code="DOCTYPE_FORBIDDEN")
        return root
