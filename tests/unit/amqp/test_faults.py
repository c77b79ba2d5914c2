import ssl

import pytest
from pika import exceptions  # type: ignore[import-untyped]
from pika.adapters.utils import connection_workflow as workflow  # type: ignore[import-untyped]

from integrationhub.amqp.faults import again, translated
from integrationhub.errors import ConfigurationError, HubError, NotFound, TransientError

REFUSED_LOGIN = exceptions.ProbableAuthenticationError(
    repr(exceptions.ConnectionClosedByBroker(403, "ACCESS_REFUSED - Login was refused"))
)


def wrapped(error: Exception) -> Exception:
    """As pika wraps what happened while connecting."""
    failed = workflow.AMQPConnectionWorkflowFailed([workflow.AMQPConnectorAMQPHandshakeError(error)])
    assert isinstance(failed, Exception)
    return failed


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (wrapped(ConnectionRefusedError(111, "refused")), TransientError, "BROKER_AWAY"),
        (wrapped(REFUSED_LOGIN), ConfigurationError, "BROKER_ACCESS"),
        (
            exceptions.ConnectionClosedByBroker(530, "NOT_ALLOWED - vhost x not found"),
            ConfigurationError,
            "BROKER_ACCESS",
        ),
        (exceptions.ConnectionClosedByBroker(320, "CONNECTION_FORCED - shutdown"), TransientError, "BROKER_AWAY"),
        (exceptions.ChannelClosedByBroker(406, "PRECONDITION_FAILED - x"), ConfigurationError, "TOPOLOGY_MISMATCH"),
        (
            exceptions.ChannelClosedByBroker(
                406,
                "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms",
            ),
            TransientError,
            "DELIVERY_TIMEOUT",
        ),
        (
            exceptions.ChannelClosedByBroker(406, "PRECONDITION_FAILED - unknown delivery tag 7"),
            TransientError,
            "BROKER_AWAY",
        ),
        (exceptions.ChannelClosedByBroker(405, "RESOURCE_LOCKED - x"), ConfigurationError, "TOPOLOGY_MISMATCH"),
        (exceptions.ChannelClosedByBroker(404, "NOT_FOUND - no exchange x"), NotFound, "BROKER_OBJECT_MISSING"),
        (wrapped(ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED")), ConfigurationError, "BROKER_TLS"),
        (exceptions.StreamLostError("x"), TransientError, "BROKER_AWAY"),
        (OSError(5, "input/output"), TransientError, "BROKER_AWAY"),
    ],
)
def test_what_a_broker_or_a_socket_says_becomes_one_of_the_hubs_errors_with_a_remedy(
    error: Exception, kind: type[HubError], code: str
) -> None:
    meaning = translated(error, "host:5672")
    assert type(meaning) is kind
    assert meaning.code == code
    assert meaning.remedy
    assert "host:5672" in meaning.text


def test_a_login_cut_short_is_no_proof_of_wrong_credentials() -> None:
    cut = exceptions.ProbableAuthenticationError(repr(exceptions.StreamLostError("reset")))
    assert isinstance(translated(wrapped(cut), "b"), TransientError)


def test_what_was_being_sent_never_stands_in_the_text() -> None:
    assert "QQ123456C" not in translated(exceptions.ShortStringTooLong("QQ123456C"), "b").text


def test_one_of_the_hubs_errors_stays_what_it_is_and_can_be_raised_anew() -> None:
    error = TransientError("away", code="X", remedy="wait")
    assert translated(error, "b") is error
    copy = again(error)
    assert copy is not error
    assert (type(copy), copy.text, copy.code, copy.remedy) == (TransientError, "away", "X", "wait")


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (
            "inequivalent arg 'x-queue-type' for queue 'q.a' in vhost 't1': received 'quorum' but current is 'classic'",
            "queue q.a has x-queue-type classic, wanted is quorum",
        ),
        (
            "inequivalent arg 'x-limit' for queue 'q' in vhost '/': received the value '50' but current is none",
            "queue q has x-limit none, wanted is 50",
        ),
        (
            "inequivalent arg 'x-max' for queue 'q' in vhost '/': received none but current is the value '6' of a type",
            "queue q has x-max 6, wanted is none",
        ),
        (
            "inequivalent arg 'type' for exchange 'hub.events' in vhost '/': received 'topic' but current is 'direct'",
            "exchange hub.events has type direct, wanted is topic",
        ),
    ],
)
def test_an_object_of_another_make_is_named_with_the_argument_in_which_it_differs(reply: str, told: str) -> None:
    error = translated(exceptions.ChannelClosedByBroker(406, f"PRECONDITION_FAILED - {reply}"), "host:5672")
    assert (error.code, told in error.text) == ("TOPOLOGY_MISMATCH", True)
    assert error.remedy is not None
    assert "move its messages" in error.remedy
