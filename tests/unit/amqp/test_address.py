import ssl
from pathlib import Path

import pytest

from integrationhub.amqp.address import connection_parameters
from integrationhub.errors import ConfigurationError


def test_a_url_gives_host_port_virtual_host_and_credentials() -> None:
    given = connection_parameters("amqp://us%40er:p%2Fw@broker.example:5673/my%2Fhost?heartbeat=7", "a name")
    assert (given.host, given.port, given.virtual_host, given.heartbeat) == ("broker.example", 5673, "my/host", 7)
    assert (given.credentials.username, given.credentials.password) == ("us@er", "p/w")
    assert given.client_properties == {"connection_name": "a name"}
    assert given.ssl_options is None


@pytest.mark.parametrize("url", ["amqp://h", "amqp://h/", "amqp://h/%2F"])
def test_what_a_url_leaves_out_is_the_default(url: str) -> None:
    given = connection_parameters(url, "n")
    assert (given.port, given.virtual_host, given.credentials.username) == (5672, "/", "guest")


def test_tls_verifies_certificate_and_host_name() -> None:
    given = connection_parameters("amqps://broker.example", "n")
    assert given.port == 5671
    assert given.ssl_options.server_hostname == "broker.example"
    assert given.ssl_options.context.verify_mode is ssl.CERT_REQUIRED
    assert given.ssl_options.context.check_hostname


def test_every_fault_of_a_url_is_named_at_once_and_no_secret() -> None:
    with pytest.raises(ConfigurationError) as raised:
        connection_parameters("http://u:secret@:99999/?heartbeat=soon&verify=none", "n")
    assert len(raised.value.faults) == 5
    assert "secret" not in str(raised.value)


def test_a_certificate_file_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        connection_parameters(f"amqps://h?cacertfile={tmp_path / 'none.pem'}", "n")
    assert raised.value.code == "BROKER_TLS"
