"""Metrics of a hub in the Prometheus text format, read from the store when they are asked for.

Nothing is counted twice: what the store knows is the truth, also after a restart. Labels are connector names, states
and reason codes, never references.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from integrationhub.bootstrap import Hub
from integrationhub.store.status import ConnectorStatus, StoreStatus, read_status

METRICS = {
    "integrationhub_deliveries": "Files and messages by connector and state",
    "integrationhub_last_sequence": "Last sequence number that was accepted or passed over",
    "integrationhub_feed_stopped": "1 while a refused file holds up the feed",
    "integrationhub_feed_paused": "1 while an operator holds the connector",
    "integrationhub_last_delivery_timestamp_seconds": "When the last delivery came",
    "integrationhub_open_exceptions": "Worklist entries that wait for a person, by connector",
    "integrationhub_outbox_waiting": "Events that are not published yet",
    "integrationhub_outbox_oldest_timestamp_seconds": "When the oldest unpublished event was written",
}
"""Metric → help text. All are gauges: the store's state at the moment of the scrape."""


class _StoreCollector(Collector):
    def __init__(self, status: StoreStatus) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        families = {name: _family(name) for name in METRICS}
        for item in self._status.connectors:
            _add_connector(families, item)
        families["integrationhub_outbox_waiting"].add_metric([], self._status.outbox.waiting)
        if self._status.outbox.oldest:
            oldest = self._status.outbox.oldest.timestamp()
            families["integrationhub_outbox_oldest_timestamp_seconds"].add_metric([], oldest)
        yield from families.values()


def _family(name: str) -> GaugeMetricFamily:
    labels = [] if "outbox" in name else ["connector"]
    return GaugeMetricFamily(name, METRICS[name], labels=[*labels, "state"] if name.endswith("deliveries") else labels)


def _add_connector(families: dict[str, GaugeMetricFamily], item: ConnectorStatus) -> None:
    name = item.connector
    for state, number in item.deliveries.items():
        families["integrationhub_deliveries"].add_metric([name, state], number)
    if item.feed.last_sequence is not None:
        families["integrationhub_last_sequence"].add_metric([name], item.feed.last_sequence)
    families["integrationhub_feed_stopped"].add_metric([name], item.feed.stopped_sequence is not None)
    families["integrationhub_feed_paused"].add_metric([name], item.feed.paused)
    if item.last is not None:
        families["integrationhub_last_delivery_timestamp_seconds"].add_metric([name], item.last.received_at.timestamp())
    families["integrationhub_open_exceptions"].add_metric([name], item.exceptions)


def metrics_text(hub: Hub) -> str:
    """All metrics of the hub's store."""
    with hub.store.read() as connection:
        status = read_status(connection)
    registry = CollectorRegistry()
    registry.register(_StoreCollector(status))
    return generate_latest(registry).decode()
