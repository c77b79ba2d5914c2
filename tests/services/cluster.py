"""Three RabbitMQ nodes of one cluster on loopback, behind a load balancer.

Clients use `url`: a new connection goes to a node that accepts it, so losing a node costs them a reconnect. A quorum
queue declared while all nodes run has a member on each.
"""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.services.processes import wait_until
from tests.services.proxy import Proxy
from tests.services.rabbitmq import Company, InstalledRabbit

NODES = 3
READY_SECONDS = 120.0


class RabbitCluster:
    """A cluster with `url`, that of the virtual host `/` through the balancer."""

    def __init__(self) -> None:
        self._company = Company()
        first = InstalledRabbit(self._company)
        with ThreadPoolExecutor(NODES) as starting:
            others = [starting.submit(InstalledRabbit, self._company, peer=first) for _ in range(1, NODES)]
            self.nodes = (first, *(each.result() for each in others))
        self.balancer = Proxy(*(node.port for node in self.nodes))
        wait_until(lambda: len(self.running()) == NODES, seconds=READY_SECONDS, what="the cluster")

    @property
    def url(self) -> str:
        return self._balanced(self.nodes[0].url)

    def _balanced(self, url: str) -> str:
        return url.replace(f":{self.nodes[0].port}/", f":{self.balancer.port}/")

    def new_vhost(self) -> str:
        """The URL of a virtual host of its own, through the balancer, when every node serves it."""
        url = self.nodes[0].new_vhost()
        time.sleep(1)  # the other nodes start their part of a virtual host when they hear of it
        return self._balanced(url)

    def running(self) -> set[str]:
        """The nodes that the first running one sees, itself included."""
        answer = self._anyone().control("eval", "rabbit_nodes:all_running().")
        return {name.strip(" '\n") for name in answer.strip().strip("[]").split(",")}

    def _anyone(self) -> InstalledRabbit:
        return next(node for node in self.nodes if node.runs)

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` prints, told by a node that runs."""
        return self._anyone().control(*arguments)

    def stop(self) -> None:
        """End everything."""
        self.balancer.close()
        for node in self.nodes:
            node.stop()
        self._company.close()
