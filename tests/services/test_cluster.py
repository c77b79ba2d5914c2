import pika  # type: ignore[import-untyped]

from tests.services.cluster import NODES, RabbitCluster
from tests.services.processes import wait_until


def test_a_quorum_queue_survives_the_loss_of_any_one_node(rabbitmq_cluster: RabbitCluster) -> None:
    url = rabbitmq_cluster.new_vhost()
    arguments = {"x-queue-type": "quorum"}
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("kept", durable=True, arguments=arguments)
        channel.basic_publish("", "kept", b"x", pika.BasicProperties(delivery_mode=2))
    vhost = url.rpartition("/")[2]
    members = rabbitmq_cluster.control("list_queues", "-p", vhost, "--no-table-headers", "members")
    assert members.count("@localhost") == NODES

    for node in rabbitmq_cluster.nodes:
        node.kill()
        assert is_kept(url)
        node.restart()
        wait_until(lambda: len(rabbitmq_cluster.running()) == NODES, seconds=60, what="the cluster")


def is_kept(url: str) -> bool:
    """Whether the message can be had; it goes back into the queue when the connection ends."""
    found: list[bytes | None] = []

    def asked() -> bool:
        try:
            with pika.BlockingConnection(pika.URLParameters(url)) as connection:
                found.append(connection.channel().basic_get("kept")[2])
        except (pika.exceptions.AMQPError, OSError):
            return False  # its members elect a leader
        return True

    wait_until(asked, seconds=60, what="the queue")
    return found[-1] == b"x"
