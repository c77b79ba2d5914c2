"""The page of metrics, from what the daemon says of them."""

from docs.generate.tables import document, table
from integrationhub.daemon.meter import COUNTED
from integrationhub.daemon.metrics import METRICS

INTRODUCTION = """\
`/metrics` on the daemon's HTTP port, in the Prometheus text format. Labels are names of connectors, queues and hosts,
states and reason codes; nothing in them is personal."""

STATE = """\
## State

Gauges, read from the store and the broker when they are asked for: true also after a restart, and the same from every
daemon that shares a store."""

COUNTS = """\
## Counted by the daemon

Counters and histograms of one daemon. They begin at zero when it starts, as `rate()` and `increase()` expect, and count
a message once its fate is committed. Histograms have the suffixes `_bucket`, `_sum` and `_count`."""


def page() -> str:
    """Every metric with its labels and meaning."""
    state = [
        (f"`{name}`", ", ".join(f"`{label}`" for label in labels), text) for name, (text, labels) in METRICS.items()
    ]
    counts = [
        (f"`{name}`", "`connector`, `fate`" if name == "integrationhub_messages_total" else "`connector`", text)
        for name, text in COUNTED.items()
    ]
    headings = ("metric", "labels", "meaning")
    return document("# Metrics", INTRODUCTION, STATE, table(headings, state), COUNTS, table(headings, counts))
