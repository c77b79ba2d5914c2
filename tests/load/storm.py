"""Faults on a seeded schedule: processes killed, servers killed, the network spoilt, while the load goes on."""

import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.load.hub import SupervisedHub
from tests.services.proxy import Proxy, Way
from tests.services.servers import PostgresServer, RabbitServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that can be made to fail. The proxies stand between the hub and the servers."""

    hub: SupervisedHub
    rabbit: RabbitServer
    postgres: PostgresServer
    broker_way: Proxy
    database_way: Proxy


@dataclass(slots=True, kw_only=True)
class Storm:
    """Faults, one after another, with pauses between; `done` keeps their names in the order in which they happened."""

    site: Site
    seed: int
    longest_pause: float = 2.0
    done: list[str] = field(default_factory=list)

    def round(self) -> None:
        """Each fault once, in an order that chance has chosen."""
        chance = random.Random(self.seed + len(self.done))  # noqa: S311 - not a secret
        for name in chance.sample(sorted(FAULTS), len(FAULTS)):
            self.do(name)
            time.sleep(chance.uniform(0, self.longest_pause))

    def until(self, over: Callable[[], bool]) -> None:
        """Faults by chance until then."""
        chance = random.Random(self.seed)  # noqa: S311 - not a secret
        names = sorted(FAULTS)
        while not over():
            self.do(chance.choice(names))
            time.sleep(chance.uniform(0, self.longest_pause))

    def do(self, name: str) -> None:
        """One fault, and its end."""
        FAULTS[name](self.site)
        self.done.append(name)


def _kill_broker(site: Site) -> None:
    site.rabbit.kill()
    site.rabbit.restart()


def _kill_database(site: Site) -> None:
    site.postgres.kill()
    time.sleep(0.5)
    site.postgres.restart()


def _kill_while_draining(site: Site) -> None:
    site.hub.signal(signal.SIGTERM)
    time.sleep(0.05)
    site.hub.kill()


def _kill_while_rereading(site: Site) -> None:
    site.hub.signal(signal.SIGHUP)
    time.sleep(0.6)
    site.hub.kill()


def _alarm(site: Site) -> None:
    """Out of memory, as the broker sees it: publishers are blocked, consumers go on."""
    site.rabbit.control("set_vm_memory_high_watermark", "0.000001")
    time.sleep(1)
    site.rabbit.control("set_vm_memory_high_watermark", "0.4")


def _stall(proxy: Proxy, *ways: Way, seconds: float = 1.5) -> None:
    proxy.stall(*ways)
    time.sleep(seconds)
    proxy.flow()


def _delay(proxy: Proxy) -> None:
    proxy.delay(0.05)
    time.sleep(1.5)
    proxy.flow()


def _refuse(proxy: Proxy) -> None:
    proxy.refuse()
    time.sleep(1)
    proxy.flow()


FAULTS: Mapping[str, Callable[[Site], object]] = {
    "kill -9 of a worker": lambda site: site.hub.kill_worker(),
    "kill -9 of the daemon": lambda site: site.hub.kill(),
    "kill -9 while draining": _kill_while_draining,
    "kill -9 while rereading": _kill_while_rereading,
    "drain": lambda site: site.hub.signal(signal.SIGTERM),
    "reread": lambda site: site.hub.signal(signal.SIGHUP),
    "kill -9 of RabbitMQ": _kill_broker,
    "kill -9 of PostgreSQL": _kill_database,
    "memory alarm": _alarm,
    "broker cut": lambda site: site.broker_way.cut(),
    "broker stalls": lambda site: _stall(site.broker_way),
    "broker hears nothing": lambda site: _stall(site.broker_way, Way.OUT),
    "broker half closed": lambda site: site.broker_way.half_close(Way.OUT),
    "broker slow": lambda site: _delay(site.broker_way),
    "broker refuses": lambda site: _refuse(site.broker_way),
    "database cut": lambda site: site.database_way.cut(),
    "database stalls": lambda site: _stall(site.database_way, Way.IN),
    "database refuses": lambda site: _refuse(site.database_way),
}
"""What can happen, by name."""


def through(url: str, proxy: Proxy, port: int) -> str:
    """The URL by way of the proxy."""
    return url.replace(f":{port}/", f":{proxy.port}/")


def port_of(url: str) -> int:
    """The port of a server's URL."""
    return int(url.rpartition("@")[2].partition("/")[0].rpartition(":")[2])


POINTS: Sequence[str] = (
    "taking load-00000010", "claimed:9", "messages kept:25", "before message commit:25", "after message commit:25",
    "messages committed:25", "answering:25", "acknowledging:9", "published:3", "rereading", "draining",
)  # fmt: skip
"""Crash points of the way of a message, with the number of times they are passed unharmed, in the order of that way."""
