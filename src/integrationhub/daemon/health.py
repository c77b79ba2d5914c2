"""The daemon's HTTP port: is it alive, is it consuming, and what does it count.

`/healthz/live` 200 while the process serves · `/healthz/ready` 200 when every part works and the store answers, else
503 · `/metrics` in the Prometheus text format. Standard library only: three fixed answers need no framework.
"""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from integrationhub.bootstrap import Hub
from integrationhub.daemon.meter import Meter
from integrationhub.daemon.metrics import metrics_text
from integrationhub.errors import ConfigurationError, HubError

Answer = tuple[int, str, bytes]


class HealthServer:
    """Serves in a thread for the length of a `with` block."""

    def __init__(self, hub: Hub, *, port: int, ready: Callable[[], bool], meter: Meter) -> None:
        self._hub = hub
        self._ready = ready
        self._meter = meter
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        except OSError as exc:
            raise ConfigurationError(
                f"the HTTP port {port} can't be used: {exc.strerror}",
                code="HTTP_PORT",
                remedy="stop the other process, or set INTEGRATIONHUB_HTTP_PORT to a free port",
            ) from exc
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

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
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

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
