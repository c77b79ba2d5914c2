"""Metrics of a hub in the Prometheus text format.

What the store and the broker know is read when it is asked for, and is the truth also after a restart; what happens in
between is counted by the daemon (`daemon.meter`). Labels are names, states and reason codes, never references.
"""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from integrationhub.bootstrap import Hub
from integrationhub.daemon.meter import Meter
from integrationhub.daemon.queues import queue_depths
from integrationhub.intake.expectations import missing
from integrationhub.store.status import ConnectorStatus, StoreStatus, read_status

_REASON = ("connector", "kind", "code")

METRICS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "integrationhub_deliveries": ("Files and messages by connector and state", ("connector", "state")),
    "integrationhub_last_sequence": ("Last sequence number that was accepted or passed over", ("connector",)),
    "integrationhub_feed_stopped": ("1 while a refused file holds up the feed", ("connector",)),
    "integrationhub_feed_paused": ("1 while an operator holds the connector", ("connector",)),
    "integrationhub_intake_waits": (
        "1 while the intake of messages waits for a service",
        ("connector", "host", "reason"),
    ),
    "integrationhub_last_delivery_timestamp_seconds": ("When the last file came", ("connector",)),
    "integrationhub_file_missing": ("1 while a file is expected and missing", ("connector",)),
    "integrationhub_open_exceptions": ("Worklist entries that wait for a person", ("connector",)),
    "integrationhub_quarantined": ("Items of the quarantine that wait for a person", _REASON),
    "integrationhub_quarantined_oldest_timestamp_seconds": (
        "When the oldest of these items came in",
        ("connector", "kind", "code"),
    ),
    "integrationhub_outbox_waiting": ("Events that are not published yet", ()),
    "integrationhub_outbox_oldest_timestamp_seconds": ("When the oldest unpublished event was written", ()),
    "integrationhub_queue_messages": ("Messages that wait in a queue; missing while the broker is away", ("queue",)),
}
"""Metric → help text and labels. All are gauges: the state of store and broker at the moment of the scrape."""


class _StateCollector(Collector):
    def __init__(self, hub: Hub, status: StoreStatus) -> None:
        self._hub = hub
        self._status = status
        self._families = {
            name: GaugeMetricFamily(name, text, labels=labels) for name, (text, labels) in METRICS.items()
        }

    def _set(self, name: str, value: float, *labels: str) -> None:
        self._families[f"integrationhub_{name}"].add_metric(labels, value)

    def collect(self) -> Iterator[Metric]:
        for item in self._status.connectors:
            self._of_connector(item)
        for group in self._status.quarantine:
            labels = (group.connector, group.kind, group.code)
            self._set("quarantined", group.count, *labels)
            self._set("quarantined_oldest_timestamp_seconds", group.oldest.timestamp(), *labels)
        self._set("outbox_waiting", self._status.outbox.waiting)
        if self._status.outbox.oldest:
            self._set("outbox_oldest_timestamp_seconds", self._status.outbox.oldest.timestamp())
        for queue, depth in queue_depths(self._hub).items():
            if depth is not None:
                self._set("queue_messages", depth, queue)
        yield from self._families.values()

    def _of_connector(self, item: ConnectorStatus) -> None:
        name, hub = item.connector, self._hub
        for state, number in item.deliveries.items():
            self._set("deliveries", number, name, state)
        if item.feed.last_sequence is not None:
            self._set("last_sequence", item.feed.last_sequence, name)
        self._set("feed_stopped", item.feed.stopped_sequence is not None, name)
        self._set("feed_paused", item.feed.paused, name)
        if item.last is not None:
            self._set("last_delivery_timestamp_seconds", item.last.received_at.timestamp(), name)
        self._set("file_missing", missing(hub.catalogue, item, now=hub.clock()) is not None, name)
        self._set("open_exceptions", item.exceptions, name)
        for trouble in item.troubles:
            self._set("intake_waits", 1, name, trouble.host, trouble.waits_for or "")


def metrics_text(hub: Hub, meter: Meter) -> str:
    """All metrics: of the hub's store and broker, and what the daemon counted itself."""
    with hub.store.read() as connection:
        status = read_status(connection)
    registry = CollectorRegistry()
    registry.register(_StateCollector(hub, status))
    return generate_latest(registry).decode() + meter.text()
