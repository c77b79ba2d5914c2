"""Faults on a seeded schedule: processes killed, servers killed, the network spoilt, while the load goes on."""

import contextlib
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tests.load.account import Books
from tests.load.brokers import Load, RabbitMQ
from tests.load.hub import SupervisedHub
from tests.load.run import Run
from tests.services.proxy import Proxy, Way
from tests.services.rabbitmq import SETTLE_SECONDS
from tests.services.servers import PostgresServer, RabbitServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A hub under load."""

    run: Run
    hub: SupervisedHub
    load: Load


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSite(Site):
    """The same with its servers. The proxies stand between the hub and them."""

    broker: RabbitMQ
    rabbit: RabbitServer
    postgres: PostgresServer
    broker_way: Proxy
    database_way: Proxy


Faults = Mapping[str, Callable[[], object]]


@dataclass(slots=True, kw_only=True)
class Storm:
    """Faults, one after another, each once the hub is at work again after the one before, and a pause.

    `calm` returns when it is. `done` keeps the faults' names in the order in which they happened.
    """

    faults: Faults
    calm: Callable[[], object]
    seed: int
    longest_pause: float = 1.0
    done: list[str] = field(default_factory=list)

    def round(self) -> None:
        """Each fault once, in an order that chance has chosen."""
        chance = random.Random(self.seed + len(self.done))  # noqa: S311 - not a secret
        for name in chance.sample(sorted(self.faults), len(self.faults)):
            self.do(name)
            time.sleep(chance.uniform(0, self.longest_pause))

    def until(self, over: Callable[[], bool]) -> None:
        """Faults by chance until then."""
        chance = random.Random(self.seed)  # noqa: S311 - not a secret
        names = sorted(self.faults)
        while not over():
            self.do(chance.choice(names))
            time.sleep(chance.uniform(0, self.longest_pause))

    def do(self, name: str) -> None:
        """One fault, and its end."""
        self.calm()
        self.faults[name]()
        self.done.append(name)


def _kill_broker(site: ServerSite) -> None:
    site.rabbit.kill()
    site.rabbit.restart()


def _kill_database(site: ServerSite) -> None:
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


def _alarm(site: ServerSite) -> None:
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


def _delete_queue(site: ServerSite) -> None:
    """With what lay in it, or was on its way there or back: all that was begun, and of which no fate is known."""
    settled = Books(site.run.database).settled()
    site.broker.delete_queue()
    site.run.destroyable |= site.load.begun - settled
    site.broker.until_bound()
    time.sleep(SETTLE_SECONDS)  # until its node may be killed again


def _delete_backlog(site: ServerSite) -> None:
    """While nobody takes anything, so that something lies in it."""
    site.hub.kill()
    time.sleep(0.3)
    _delete_queue(site)


def _kill_before_confirms(site: ServerSite) -> None:
    """The relay dies between publishing and the broker's confirm, which is kept back."""
    site.broker_way.stall(Way.IN)
    time.sleep(0.5)
    site.hub.kill()
    site.broker_way.flow()


def _fill_disk(site: Site) -> None:
    site.hub.limit_files(4096)
    time.sleep(1.5)
    site.hub.limit_files()


def _lock_file(site: Site) -> None:
    """Somebody else writes for long."""
    with contextlib.closing(sqlite3.connect(site.run.database.removeprefix("sqlite:///"), timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(1.5)


_ANYWHERE: Mapping[str, Callable[[Site], object]] = {
    "kill -9 of a worker": lambda site: site.hub.kill_worker(),
    "kill -9 of the daemon": lambda site: site.hub.kill(),
    "kill -9 while draining": _kill_while_draining,
    "kill -9 while rereading": _kill_while_rereading,
    "drain": lambda site: site.hub.signal(signal.SIGTERM),
    "reread": lambda site: site.hub.signal(signal.SIGHUP),
}
_ON_SERVERS: Mapping[str, Callable[[ServerSite], object]] = {
    "kill -9 of RabbitMQ": _kill_broker,
    "kill -9 of PostgreSQL": _kill_database,
    "kill -9 between publish and confirm": _kill_before_confirms,
    "memory alarm": _alarm,
    "queue deleted": _delete_queue,
    "queue deleted with a backlog": _delete_backlog,
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
_EMBEDDED: Mapping[str, Callable[[Site], object]] = {"disk full": _fill_disk, "file locked": _lock_file}


def faults_on_servers(site: ServerSite) -> Faults:
    """What can happen to a hub with RabbitMQ and PostgreSQL, by name."""
    return {name: partial(fault, site) for name, fault in {**_ANYWHERE, **_ON_SERVERS}.items()}


def faults_on_one_host(site: Site) -> Faults:
    """What can happen to a hub with the embedded store and broker, by name."""
    return {name: partial(fault, site) for name, fault in {**_ANYWHERE, **_EMBEDDED}.items()}


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
