"""[answers]: files that a source sends back about what it was told (handover.md §3)."""

from integrationhub.sdk.descriptor.delivery import Trigger
from integrationhub.sdk.part import Part, Pattern

FEED = "{connector}-answers"
"""What the feed of a connector's answers is called."""


class AnswerRules(Part):
    """How answer files are named and laid out. They arrive where the connector's other files do, and count from 1."""

    file: Pattern
    trigger: Trigger = Trigger()
    trigger_keys: tuple[str, ...] = ("FILE", "BYTES", "RECORDS", "SHA256", "SEQUENCE", "ASAT")
    layout: str
