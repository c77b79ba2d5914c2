"""A three-node RabbitMQ cluster that loses each of its nodes in turn, under load."""

import os
import threading
import time
from pathlib import Path

from tests.load.account import table
from tests.load.brokers import Load, RabbitMQ
from tests.load.hub import SupervisedHub
from tests.load.notices import notices_until
from tests.load.run import Run
from tests.services.cluster import NODES, RabbitCluster
from tests.services.processes import wait_until
from tests.services.rabbitmq import SETTLE_SECONDS

MESSAGES = int(os.environ.get("FAULT_MESSAGES", "0")) // 5
RATE = 300.0 if MESSAGES else 100.0


def test_each_node_killed_and_restarted_in_turn_loses_nothing_and_applies_nothing_twice(
    tmp_path: Path, rabbitmq_cluster: RabbitCluster, postgres_url: str
) -> None:
    broker = RabbitMQ(rabbitmq_cluster.new_vhost())
    run = Run(folder=tmp_path, broker=broker, database=postgres_url, quiet_seconds=60)

    def disturb(_run: Run, _hub: SupervisedHub, _load: Load) -> None:
        time.sleep(SETTLE_SECONDS)
        for node in rabbitmq_cluster.nodes:
            node.kill()
            time.sleep(1)
            node.restart()
            wait_until(lambda: len(rabbitmq_cluster.running()) == NODES, seconds=120, what="the cluster")
        over.set()

    over = threading.Event()
    found = run.go(notices_until(over, at_least=MESSAGES), disturb, rate=RATE)

    print(f"\n\n{table([('each node of a cluster killed in turn', found)])}\n")  # noqa: T201 - as the other fault tests do
    assert not found.missing
    assert found.is_clean
    assert found.applied + found.overtaken == found.acknowledged  # sent again after a cut, behind a newer one
    assert run.heard is not None
    assert (run.heard.out_of_order, run.heard.changed) == (0, 0)
