"""What each peer does with a message, in one transaction: inbox, one canonical upsert, outbox. Runs beside the peers.

The tables are narrow, and nothing is checked but that the body is JSON: less than the hub does with the same message.
"""

import hashlib
import json
import os
import sys
import threading

import psycopg

_INBOX = "INSERT INTO peer_inbox (message_id, sha256, body) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_UPSERT = """
INSERT INTO peer_debts (debt_ref, person, type, status, balance, version) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (debt_ref) DO UPDATE SET person = excluded.person, type = excluded.type, status = excluded.status,
    balance = excluded.balance, version = excluded.version WHERE peer_debts.version < excluded.version
"""
_OUTBOX = "INSERT INTO peer_outbox (event) VALUES (%s)"
TABLES = """
CREATE TABLE peer_inbox (message_id text PRIMARY KEY, sha256 text NOT NULL, body bytea NOT NULL);
CREATE TABLE peer_debts (
    debt_ref text PRIMARY KEY, person text, type text, status text, balance numeric, version bigint NOT NULL
);
CREATE TABLE peer_outbox (position bigserial PRIMARY KEY, event jsonb NOT NULL, published_at timestamptz);
"""

_local = threading.local()


def statements(body: bytes) -> list[tuple[str, tuple[object, ...]]]:
    """The statements of a message's transaction; the first tells whether it is new."""
    found = json.loads(body)
    digest = hashlib.sha256(body).hexdigest()
    row = (found["debt_ref"], found["person"], found["type"], found["status"], found["balance"], found["version"])
    event = {"type": "debt.changed", "subject": found["debt_ref"], "data": {"balance": found["balance"]}}
    return [
        (_INBOX, (found["message_id"], digest, body)),
        (_UPSERT, row),
        (_OUTBOX, (json.dumps(event),)),
    ]


def take(body: bytes) -> None:
    """One message in one transaction, on this thread's own connection."""
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(os.environ["PEER_DATABASE"])
    inbox, *others = statements(body)
    with _local.connection.transaction(), _local.connection.cursor() as cursor:
        cursor.execute(*inbox)
        if cursor.rowcount:
            for statement in others:
                cursor.execute(*statement)


def bodies() -> list[bytes]:
    """The bodies to publish, a line each on standard input."""
    return [line.rstrip(b"\n") for line in sys.stdin.buffer]
