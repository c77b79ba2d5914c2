"""The connector descriptor: what `connector.toml` may say, checked when it is read.

A connector is data: this descriptor, a record layout, mapping specs and samples. The descriptor says what the
connector is, how its files or messages arrive, how their bytes are laid out, how records hang together, and which
reason code the interface document gives to each kind of fault.

identity → delivery → records, document or keyed (what the format needs) → descriptor
"""

from integrationhub.sdk.descriptor.delivery import DeliveryCodes, DeliveryRules, FileKind, Trigger
from integrationhub.sdk.descriptor.descriptor import Descriptor, load_descriptor
from integrationhub.sdk.descriptor.document import (
    Document,
    DocumentCodes,
    DocumentGroups,
    DocumentSums,
    DocumentTotal,
    XmlLayout,
)
from integrationhub.sdk.descriptor.feed import Feed, FeedCodes, JsonField, JsonLayout
from integrationhub.sdk.descriptor.header import DatedField, KindField
from integrationhub.sdk.descriptor.identity import Identity
from integrationhub.sdk.descriptor.keyed import CsvLayout, KeyedTotal, Keying, KeyingCodes
from integrationhub.sdk.descriptor.records import (
    FramingRules,
    GroupKey,
    HeaderFields,
    LayoutRules,
    LowValues,
    Member,
    ParentKey,
    Redefinition,
    Structure,
    StructureCodes,
    Total,
    TrailerCounts,
    TrailerFields,
)
from integrationhub.sdk.descriptor.units import UnitCodes, UnitLayout, UnitRules

__all__ = [
    "CsvLayout",
    "DatedField",
    "DeliveryCodes",
    "DeliveryRules",
    "Descriptor",
    "Document",
    "DocumentCodes",
    "DocumentGroups",
    "DocumentSums",
    "DocumentTotal",
    "Feed",
    "FeedCodes",
    "FileKind",
    "FramingRules",
    "GroupKey",
    "HeaderFields",
    "Identity",
    "JsonField",
    "JsonLayout",
    "KeyedTotal",
    "Keying",
    "KeyingCodes",
    "KindField",
    "LayoutRules",
    "LowValues",
    "Member",
    "ParentKey",
    "Redefinition",
    "Structure",
    "StructureCodes",
    "Total",
    "TrailerCounts",
    "TrailerFields",
    "Trigger",
    "UnitCodes",
    "UnitLayout",
    "UnitRules",
    "XmlLayout",
    "load_descriptor",
]
