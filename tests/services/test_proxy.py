import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.services.processes import wait_until
from tests.services.proxy import Proxy, Way


class Echo:
    """Sends back what it gets; says goodbye when its client has said its last."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    @staticmethod
    def _answer(connection: socket.socket) -> None:
        with connection:
            try:
                while block := connection.recv(1024):
                    connection.sendall(block)
                connection.sendall(b"goodbye")
            except OSError:
                return

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.port) as made:
        yield made


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as made:
        assert said(made, b"hello") == b"hello"
        yield made


def said(client: socket.socket, words: bytes) -> bytes:
    client.sendall(words)
    return client.recv(1024)


def test_a_cut_resets_the_connection_and_a_new_one_works(proxy: Proxy, client: socket.socket) -> None:
    assert proxy.cut() == 1
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    wait_until(lambda: proxy.connections == 0, seconds=10, what="the cut")
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as again:
        assert said(again, b"still there") == b"still there"


@pytest.mark.parametrize("way", list(Way))
def test_a_stalled_direction_holds_everything_back_until_it_flows(
    proxy: Proxy, client: socket.socket, way: Way
) -> None:
    proxy.stall(way)
    client.sendall(b"patience")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1024)
    client.settimeout(10)
    proxy.flow()
    assert client.recv(1024) == b"patience"


def test_a_delay_holds_each_block_for_so_long(proxy: Proxy, client: socket.socket) -> None:
    proxy.delay(0.15)
    started = time.monotonic()
    assert said(client, b"slow") == b"slow"
    assert time.monotonic() - started >= 0.3


def test_a_half_close_ends_one_direction_and_leaves_the_other(proxy: Proxy, client: socket.socket) -> None:
    proxy.half_close(Way.OUT)
    assert client.recv(1024) == b"goodbye"


def refused(port: int) -> bool:
    """The reset may come while connecting or just after."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            return client.recv(1) != b""
    except ConnectionResetError:
        return True


def test_a_refusing_proxy_lets_nobody_in_until_it_flows(proxy: Proxy) -> None:
    proxy.refuse()
    assert refused(proxy.port)
    proxy.flow()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as again:
        assert said(again, b"thanks") == b"thanks"


def test_before_several_servers_a_connection_goes_to_one_that_lives(echo: Echo) -> None:
    dead = Echo()
    dead.close()
    with Proxy(dead.port, echo.port) as balancer:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", balancer.port), timeout=10) as client:
                assert said(client, b"alive") == b"alive"
