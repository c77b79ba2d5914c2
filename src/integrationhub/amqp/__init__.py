"""RabbitMQ behind an adapter: where it is, what goes wrong, connections, topology. pika stops here.

Sources: AMQP 0-9-1; RabbitMQ's extensions to it (publisher confirms, quorum queues, at-least-once dead-lettering).
"""
