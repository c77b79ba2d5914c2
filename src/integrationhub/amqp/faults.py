"""What goes wrong with a broker, as the hub's errors: what pika, the socket and TLS raise is translated here, once."""

import re
from dataclasses import dataclass

from integrationhub.errors import ConfigurationError, HubError, NotFound, TransientError


@dataclass(frozen=True, slots=True)
class _Meaning:
    error: type[HubError]
    code: str
    text: str
    remedy: str


_AWAY = _Meaning(
    TransientError,
    "BROKER_AWAY",
    "is away",
    "check that the broker runs and that the broker URL leads to it",
)

_MEANINGS = {
    "delivery acknowledgement on channel": _Meaning(
        TransientError,
        "DELIVERY_TIMEOUT",
        "has taken back what was not acknowledged in time",
        "raise consumer_timeout in rabbitmq.conf above the longest piece of work",
    ),
    "unknown delivery tag": _Meaning(
        TransientError,
        "BROKER_AWAY",
        "ended the connection over an acknowledgement",
        "the hub connects again; tell its developers",
    ),
    "PRECONDITION_FAILED": _Meaning(
        ConfigurationError,
        "TOPOLOGY_MISMATCH",
        "has it with other arguments",
        "somebody else or another version of the hub made it: move its messages to a queue of another name (with the "
        "shovel plugin), delete it, start the hub, which makes it anew, and move the messages back; "
        "docs/reference/topology.md has the arguments",
    ),
    "ACCESS_REFUSED": _Meaning(
        ConfigurationError,
        "BROKER_ACCESS",
        "refuses the user or the password",
        "check user, password and permissions on the virtual host",
    ),
    "NOT_ALLOWED": _Meaning(
        ConfigurationError,
        "BROKER_ACCESS",
        "does not let the user into the virtual host",
        "check the virtual host in the broker URL",
    ),
    "RESOURCE_LOCKED": _Meaning(
        ConfigurationError,
        "TOPOLOGY_MISMATCH",
        "has it locked",
        "another connection owns it exclusively",
    ),
    "CERTIFICATE_VERIFY_FAILED": _Meaning(
        ConfigurationError,
        "BROKER_TLS",
        "shows a certificate that can't be verified",
        "name the certificate authority with ?cacertfile=FILE in the broker URL",
    ),
    "NOT_FOUND": _Meaning(
        NotFound,
        "BROKER_OBJECT_MISSING",
        "does not have it",
        "the hub declares its own again when it reconnects",
    ),
}
"""By what the broker's reply says, mostly the name that begins it (AMQP 0-9-1 §1.2, reply codes); it stands in pika's
errors however deep these are wrapped. The first that fits counts. A login that ends without such a reply is no proof of
wrong credentials: the broker may just have died."""


def translated(error: BaseException, broker: str) -> HubError:
    """One of the hub's errors for any other; `broker` is its host and port."""
    if isinstance(error, HubError):
        return error
    everything = repr(error)
    meaning = next((meaning for name, meaning in _MEANINGS.items() if name in everything), _AWAY)
    told = _difference(everything) or getattr(error, "reply_text", None) or _innermost(error)
    return meaning.error(f"broker {broker} {meaning.text}: {told}", code=meaning.code, remedy=meaning.remedy)


_INEQUIVALENT = re.compile(
    r"inequivalent arg '(?P<name>[^']+)' for (?P<kind>queue|exchange) '(?P<object>[^']+)' in vhost '[^']*': "
    r"received (?P<wanted>.*?) but current is (?P<found>[^\"')]*('[^']*')?[^\"')]*)"
)


def _difference(reply: str) -> str | None:
    """What an object of another make differs in, from the broker's words about the first argument that does."""
    match = _INEQUIVALENT.search(reply)
    if match is None:
        return None
    wanted, found = _value(match["wanted"]), _value(match["found"])
    return f"{match['kind']} {match['object']} has {match['name']} {found}, wanted is {wanted}"


def _value(text: str) -> str:
    """`the value '50' of type 'signedint'` is 50, `none` is none."""
    quoted = re.search(r"'([^']*)'", text)
    return (quoted[1] or '""') if quoted else text.strip()


def gone(broker: str, text: str, *, code: str = _AWAY.code, remedy: str = _AWAY.remedy) -> TransientError:
    """The error for a broker that can't be used now."""
    return TransientError(f"broker {broker} {text}", code=code, remedy=remedy)


def again(error: HubError) -> HubError:
    """The same error anew: one object must not be raised by several threads."""
    return type(error)(error.text, code=error.code, remedy=error.remedy)


def _innermost(error: BaseException) -> str:
    """The class of the error that others were made of. Its arguments stay out: they may quote what was being sent."""
    causes = (*(getattr(error, "exceptions", None) or ()), getattr(error, "exception", None), *error.args)
    inner = next((cause for cause in causes if isinstance(cause, BaseException)), None)
    return _innermost(inner) if inner is not None else type(error).__name__
