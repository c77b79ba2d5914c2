"""The daemon's HTTP port: is it alive, is it consuming, and what does it count; and messages that sources post.

`/healthz/live` 200 while the process serves · `/healthz/ready` 200 when every part works and the store answers, else
503 · `/metrics` in the Prometheus text format · POST `/webhooks/…` (`daemon.webhooks`). Standard library only: a few
fixed answers need no framework. The port is open to this machine only: a proxy before it does TLS.
"""

import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from integrationhub.bootstrap import Hub
from integrationhub.daemon.meter import Meter
from integrationhub.daemon.metrics import metrics_text
from integrationhub.daemon.webhooks import Reply, Webhooks
from integrationhub.errors import ConfigurationError, HubError
from integrationhub.telemetry import logger

Answer = tuple[int, str, bytes]

PATIENCE = 10.0
"""Seconds that a request may take to come in."""


class _Server(ThreadingHTTPServer):
    """Tells of a request that failed by class alone: a text may quote what was posted."""

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - who asked is nobody's business
        error = sys.exc_info()[0]
        logger().error("http", error=None if error is None else error.__name__, outcome="FAILED")


class HealthServer:
    """Serves in a thread for the length of a `with` block."""

    def __init__(
        self, hub: Hub, *, port: int, ready: Callable[[], bool], meter: Meter, webhooks: Webhooks | None = None
    ) -> None:
        self._hub = hub
        self._webhooks = webhooks
        self._ready = ready
        self._meter = meter
        try:
            self._server = _Server(("127.0.0.1", port), self._handler())
        except OSError as exc:
            raise ConfigurationError(
                f"the HTTP port {port} can't be used: {exc.strerror}",
                code="HTTP_PORT",
                remedy="stop the other process, or set INTEGRATIONHUB_HTTP_PORT to a free port",
            ) from exc
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def answer(self, path: str) -> Answer:
        """Status, content type and body for a path."""
        if path == "/healthz/live":
            return 200, "text/plain", b"alive\n"
        if path == "/healthz/ready":
            return (200, "text/plain", b"ready\n") if self._is_ready() else (503, "text/plain", b"not ready\n")
        if path == "/metrics":
            return 200, "text/plain; version=0.0.4", metrics_text(self._hub, self._meter).encode()
        return 404, "text/plain", b"not found: /healthz/live /healthz/ready /metrics\n"

    def _is_ready(self) -> bool:
        try:
            with self._hub.store.read():
                return self._ready()
        except HubError:
            return False

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer, webhooks = self.answer, self._webhooks

        class Handler(BaseHTTPRequestHandler):
            timeout = PATIENCE

            def do_GET(self) -> None:
                status, kind, body = answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                reply = Reply(status=404, text="nothing is taken here") if webhooks is None else self._posted(webhooks)
                body = f"{reply.text}\n".encode()
                self.send_response(reply.status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                if reply.retry_after is not None:
                    self.send_header("Retry-After", str(reply.retry_after))
                self.end_headers()
                self.wfile.write(body)

            def _posted(self, webhooks: Webhooks) -> Reply:
                length = self.headers.get("Content-Length")
                early = webhooks.ahead(self.path, length)
                if early is not None or length is None:
                    return early or Reply(status=411, text="say how long the body is: Content-Length")
                body = self.rfile.read(int(length))
                if len(body) < int(length):
                    return Reply(status=400, text="the body is shorter than its Content-Length")
                return webhooks.take(self.path, dict(self.headers.items()), body)

            def log_message(self, *_: object) -> None:
                """Requests are no units of work; nothing is logged."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
