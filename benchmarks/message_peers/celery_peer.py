"""Celery: a task a message, acknowledged late; a durable quorum queue, confirms. Run as a script it publishes stdin."""

# mypy: ignore-errors
# (what is imported here stands in another environment)

import os

from celery import Celery
from work import bodies, take

app = Celery("celery_peer", broker=os.environ["PEER_BROKER"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_default_queue="peer-celery",
    task_default_queue_type="quorum",
    broker_transport_options={"confirm_publish": True},
    worker_hijack_root_logger=False,
)


@app.task(name="take")
def take_message(body: str) -> None:
    """One message."""
    take(body.encode())


if __name__ == "__main__":
    for each in bodies():
        take_message.delay(each.decode())
