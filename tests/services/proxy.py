"""A TCP proxy that misbehaves on demand: cuts, stalls, delays and half-closes, in either direction.

It stands on a loopback port of its own before one or several servers; before several it is the load balancer that a
cluster has: a new connection goes to the next server that accepts one. Each connection has two threads, one a
direction; faults reach the connections that are open and those that come.
"""

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Sequence
from enum import StrEnum
from types import TracebackType
from typing import Self

BLOCK = 1 << 16
_RESET = struct.pack("ii", 1, 0)  # linger for no time: closing sends RST, as a crashed peer's kernel or a firewall does


class Way(StrEnum):
    """A direction, as the client sees it."""

    OUT = "to the server"
    IN = "to the client"


class _Pair:
    """One connection: the client's socket and the server's."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._ends = {Way.OUT: (client, server), Way.IN: (server, client)}
        self._is_reset = False

    def ends(self, way: Way) -> tuple[socket.socket, socket.socket]:
        """Where bytes of this direction come from and go to."""
        return self._ends[way]

    def end(self, way: Way) -> None:
        """Tell the receiving end of this direction that nothing more will come, unless it is to be told by a reset."""
        if not self._is_reset:
            self._ends[way][1].shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self._is_reset = True
        for end in self._ends[Way.OUT]:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads from it and tells the peer nothing
            end.close()

    def close(self) -> None:
        for end in self._ends[Way.OUT]:
            end.close()


class Proxy:
    """Forwards to the loopback ports in `targets` for the length of a `with` block, or until `close`."""

    def __init__(self, *targets: int) -> None:
        self._targets: Sequence[int] = targets
        self._turn = itertools.count()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._changed = threading.Condition()  # guards what follows
        self._stalled: set[Way] = set()
        self._delays = dict.fromkeys(Way, 0.0)
        self._pairs: set[_Pair] = set()
        self._half_over: set[_Pair] = set()  # those of which one direction has ended
        self._refuses = False
        self._closed = False
        threading.Thread(target=self._accept, name=f"proxy {self.port}", daemon=True).start()

    # ---- faults

    def cut(self) -> int:
        """Reset every open connection, on both sides; how many there were."""
        with self._changed:
            pairs = list(self._pairs)
        for pair in pairs:
            pair.reset()
        return len(pairs)

    def stall(self, *ways: Way) -> None:
        """Let nothing through any more (no direction named: in neither); connections stay open. `flow` ends it."""
        with self._changed:
            self._stalled.update(ways or Way)

    def flow(self) -> None:
        """Let everything through again, at once, also what was held back."""
        with self._changed:
            self._stalled.clear()
            self._delays = dict.fromkeys(Way, 0.0)
            self._refuses = False
            self._changed.notify_all()

    def delay(self, seconds: float, *ways: Way) -> None:
        """Hold each block of bytes for so long before it is passed on."""
        with self._changed:
            self._delays.update(dict.fromkeys(ways or Way, seconds))

    def half_close(self, way: Way) -> None:
        """End this direction of every open connection as if its sender had said its last; the other stays open."""
        with self._changed:
            pairs = list(self._pairs)
        for pair in pairs:
            with contextlib.suppress(OSError):
                pair.end(way)

    def refuse(self) -> None:
        """Reset open connections and each new one as soon as it is made."""
        with self._changed:
            self._refuses = True
        self.cut()

    # ---- forwarding

    @property
    def connections(self) -> int:
        """How many are open."""
        with self._changed:
            return len(self._pairs)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            server = None if self._refuses else self._reach()
            if server is None:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                client.close()
                continue
            self._join(_Pair(client, server))

    def _reach(self) -> socket.socket | None:
        first = next(self._turn)
        for turn in range(len(self._targets)):
            with contextlib.suppress(OSError):
                found = socket.create_connection(
                    ("127.0.0.1", self._targets[(first + turn) % len(self._targets)]), timeout=5
                )
                found.settimeout(None)
                return found
        return None

    def _join(self, pair: _Pair) -> None:
        for end in pair.ends(Way.OUT):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._changed:
            self._pairs.add(pair)
        for way in Way:
            threading.Thread(target=self._forward, args=(pair, way), name=f"proxy {way}", daemon=True).start()

    def _forward(self, pair: _Pair, way: Way) -> None:
        source, target = pair.ends(way)
        try:
            while block := source.recv(BLOCK):
                self._hold(way)
                target.sendall(block)
            pair.end(way)
        except OSError:
            pair.reset()
        self._leave(pair)

    def _hold(self, way: Way) -> None:
        with self._changed:
            seconds = self._delays[way]
            self._changed.wait_for(lambda: way not in self._stalled or self._closed)
        if seconds:
            time.sleep(seconds)

    def _leave(self, pair: _Pair) -> None:
        """The second direction to end closes the sockets; the first leaves them to it."""
        with self._changed:
            other_ended = pair in self._half_over
            self._half_over.symmetric_difference_update({pair})
            if other_ended:
                self._pairs.discard(pair)
        if other_ended:
            pair.close()

    def close(self) -> None:
        """Stop listening and reset what is open."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
