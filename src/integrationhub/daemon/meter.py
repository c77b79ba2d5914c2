"""What the daemon counts itself: messages by fate, times, batch sizes, tries. From zero at each start of the daemon.

A message is counted once its fate is committed; one that comes again after a lost acknowledgement counts as DUPLICATE.
"""

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from integrationhub.sdk.messages import Outcome

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)

COUNTED = {
    "integrationhub_messages_total": "Messages whose fate is committed, by connector and fate",
    "integrationhub_message_seconds": "From a message's arrival in the daemon to its commit, tries and pauses included",
    "integrationhub_batch_seconds": "How long a worker took for a batch, its commit included",
    "integrationhub_batch_messages": "Messages of a batch that was committed",
    "integrationhub_message_retries_total": "Tries of single messages that failed and are made again",
    "integrationhub_workers_lost_total": "Worker processes that died with messages of the connector in hand",
    "integrationhub_oldest_message_wait_seconds": "How long the oldest message in the daemon's hands has waited there",
}
"""Metric → help text, of those that begin anew with the daemon."""


class Meter:
    """The counters of one daemon, for all its connectors. Safe to share between threads."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self.messages = self._counter("integrationhub_messages_total", "connector", "fate")
        self.latency = self._histogram("integrationhub_message_seconds", SECONDS)
        self.seconds = self._histogram("integrationhub_batch_seconds", SECONDS)
        self.sizes = self._histogram("integrationhub_batch_messages", SIZES)
        self.retries = self._counter("integrationhub_message_retries_total", "connector")
        self.lost = self._counter("integrationhub_workers_lost_total", "connector")
        self.waits: dict[str, Callable[[], float]] = {}
        self._registry.register(_Waits(self.waits))

    def _counter(self, name: str, *labels: str) -> Counter:
        return Counter(name, COUNTED[name], labels, registry=self._registry)

    def _histogram(self, name: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(name, COUNTED[name], ("connector",), registry=self._registry, buckets=buckets)

    def of(self, connector: str) -> "IntakeMeter":
        """What one connector's intake tells."""
        return IntakeMeter(self, connector)

    def text(self) -> str:
        """All of them in the Prometheus text format."""
        return generate_latest(self._registry).decode()


class IntakeMeter:
    """One connector's counters."""

    def __init__(self, meter: Meter, connector: str) -> None:
        self._meter = meter
        self._connector = connector
        for counter in (meter.retries, meter.lost):
            counter.labels(connector)  # it is there, at zero, before the first failure

    def committed(self, outcomes: Sequence[Outcome], *, waited: Sequence[float], took: float) -> None:
        """A batch: its outcomes, how long each message had waited since it came, and how long the worker took."""
        meter, name = self._meter, self._connector
        for outcome in outcomes:
            meter.messages.labels(name, outcome.fate.value).inc()
        for seconds in waited:
            meter.latency.labels(name).observe(seconds)
        meter.seconds.labels(name).observe(took)
        meter.sizes.labels(name).observe(len(outcomes))

    def retried(self) -> None:
        """A message failed alone and will be tried again."""
        self._meter.retries.labels(self._connector).inc()

    def worker_lost(self) -> None:
        """A worker died with messages in hand."""
        self._meter.lost.labels(self._connector).inc()

    def waits(self, oldest: Callable[[], float]) -> None:
        """Ask this how long the oldest message in hand has waited; 0 when there is none."""
        self._meter.waits[self._connector] = oldest


class _Waits(Collector):
    def __init__(self, waits: dict[str, Callable[[], float]]) -> None:
        self._waits = waits

    def collect(self) -> list[GaugeMetricFamily]:
        name = "integrationhub_oldest_message_wait_seconds"
        family = GaugeMetricFamily(name, COUNTED[name], labels=["connector"])
        for connector, oldest in list(self._waits.items()):
            family.add_metric([connector], oldest())
        return [family]
