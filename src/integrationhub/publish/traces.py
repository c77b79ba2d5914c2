"""W3C trace context through the hub: what came with a message goes on with the events that it caused.

The trace stays the sender's; the span is the event's own, derived from its id, so that an event which is published
twice is the same bytes twice. Only the API of OpenTelemetry is used: nothing is recorded here, and a context that is
not valid (W3C Trace Context §3.2) is as good as none. `tracestate` ends here: it is any text of any sender, and
what the hub publishes holds nothing that it doesn't know.
"""

from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT = "traceparent"

_PROPAGATOR = TraceContextTextMapPropagator()
_NOTHING = trace.set_span_in_context(trace.INVALID_SPAN)  # else whatever the thread has would be continued


def continued(traceparent: str | None, *, event_id: str) -> Mapping[str, str]:
    """The context of an event that was caused under this one, as headers; empty where there was none."""
    if traceparent is None:
        return {}
    came_with = trace.get_current_span(_PROPAGATOR.extract({TRACEPARENT: traceparent}, _NOTHING)).get_span_context()
    if not came_with.is_valid:
        return {}
    own = SpanContext(
        trace_id=came_with.trace_id,
        span_id=int(event_id[:16], 16) or 1,
        is_remote=False,
        trace_flags=came_with.trace_flags,
    )
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers, trace.set_span_in_context(NonRecordingSpan(own), _NOTHING))
    return headers
