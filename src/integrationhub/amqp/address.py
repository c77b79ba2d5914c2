"""Where the broker is: `amqp://user:password@host:port/vhost?parameters`, or `amqps://…` for TLS.

Query parameters as RabbitMQ's URI specification names them: heartbeat and connection_timeout (seconds), cacertfile,
certfile, keyfile. A server's certificate is always verified.
"""

import ssl
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import pika  # type: ignore[import-untyped]

from integrationhub.errors import ConfigurationError

HEARTBEAT_SECONDS = 30

BLOCKED_SECONDS = 60
"""How long a publisher waits for a broker that takes no messages (memory or disk alarm)."""

_SECONDS = {"heartbeat", "connection_timeout"}
_FILES = {"cacertfile", "certfile", "keyfile"}


def connection_parameters(url: str, name: str) -> pika.ConnectionParameters:
    """What pika needs; ConfigurationError with every fault of the URL. `name` is shown in the broker's lists."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    faults = list(_faults(parts, query))
    if faults:
        raise ConfigurationError("the broker URL is faulty: " + "; ".join(faults), faults=faults, code="BROKER_URL")
    return pika.ConnectionParameters(
        host=parts.hostname,
        port=parts.port or (5671 if parts.scheme == "amqps" else 5672),
        virtual_host=unquote(parts.path[1:]) or "/",
        credentials=pika.PlainCredentials(unquote(parts.username or "guest"), unquote(parts.password or "guest")),
        heartbeat=int(query.get("heartbeat", HEARTBEAT_SECONDS)),
        blocked_connection_timeout=BLOCKED_SECONDS,
        socket_timeout=float(query.get("connection_timeout", 10)),
        ssl_options=_tls(parts, query) if parts.scheme == "amqps" else None,
        client_properties={"connection_name": name},
    )


def _faults(parts: SplitResult, query: Mapping[str, str]) -> Iterator[str]:
    if parts.scheme not in {"amqp", "amqps"}:
        yield "it does not begin with amqp:// or amqps://"
    if not parts.hostname:
        yield "it names no host"
    try:
        _ = parts.port
    except ValueError:
        yield "its port is no number from 0 to 65535"
    known = _SECONDS | _FILES
    for name in sorted(query.keys() - known):
        yield f"it has an unknown parameter {name}; known are {', '.join(sorted(known))}"
    for name in sorted(query.keys() & _SECONDS):
        if not query[name].isdecimal():
            yield f"its parameter {name} is no whole number of seconds"


def _tls(parts: SplitResult, query: Mapping[str, str]) -> pika.SSLOptions:
    try:
        context = ssl.create_default_context(cafile=query.get("cacertfile"))
        if "certfile" in query:
            context.load_cert_chain(query["certfile"], query.get("keyfile"))
    except OSError as error:  # SSLError is one too
        raise ConfigurationError(
            f"a certificate file of the broker URL can't be used: {type(error).__name__}",
            code="BROKER_TLS",
            remedy="check cacertfile, certfile and keyfile",
        ) from error
    return pika.SSLOptions(context, parts.hostname)
