"""FastStream: a subscriber on aio-pika, a durable quorum queue; handlers run side by side up to the prefetch."""

# mypy: ignore-errors
# (what is imported here stands in another environment)

import os

import psycopg_pool
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue
from work import statements

CONNECTIONS = int(os.environ["PEER_SIDE_BY_SIDE"])
QUEUE = RabbitQueue("peer-faststream", durable=True, queue_type=QueueType.QUORUM)

broker = RabbitBroker(os.environ["PEER_BROKER"], default_channel=Channel(prefetch_count=CONNECTIONS))
app = FastStream(broker)
pool = psycopg_pool.AsyncConnectionPool(
    os.environ["PEER_DATABASE"], min_size=CONNECTIONS, max_size=CONNECTIONS, open=False
)


@app.on_startup
async def connect() -> None:
    """Open the database connections."""
    await pool.open(wait=True)


@broker.subscriber(QUEUE, ack_policy=AckPolicy.NACK_ON_ERROR)
async def take_message(message: RabbitMessage) -> None:
    """One message in one transaction."""
    inbox, *others = statements(message.body)
    async with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        await cursor.execute(*inbox)
        if cursor.rowcount:
            for statement in others:
                await cursor.execute(*statement)
