"""The reference documentation, made from what the code says of itself."""

from docs.generate import commands, events, mappings, metrics, model, reasons, settings, topology


def pages() -> dict[str, str]:
    """Every page of docs/reference: its path in there → its text."""
    return {
        "commands.md": commands.page(),
        "settings.md": settings.page(),
        "reason-codes.md": reasons.page(),
        "metrics.md": metrics.page(),
        "topology.md": topology.page(),
        "events.md": events.page(),
        "asyncapi.json": events.asyncapi(),
        **events.schemas(),
        "canonical-model.md": model.page(),
        **model.schemas(),
        **mappings.pages(),
        **mappings.schemas(),
    }
