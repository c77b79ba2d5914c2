"""Refused files in the quarantine: put there with the refusal, settled with the acceptance, in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from integrationhub.canonical.identifiers import derive
from integrationhub.identity import HUB
from integrationhub.store.deliveries import Delivery, Kind
from integrationhub.store.quarantine import QuarantineItem, QuarantineState
from integrationhub.store.quarantine_history import Action, What
from integrationhub.store.unit_of_work import Work


def refuse(work: Work, delivery: Delivery, *, at: datetime) -> None:
    """Put a refused file into the quarantine; one that was settled opens again."""
    reason = delivery.reasons[0]
    work.quarantine.add_again(
        [
            QuarantineItem(
                quarantine_id=derive("quarantine", delivery.delivery_id),
                kind=Kind.FILE,
                connector=delivery.connector,
                delivery_id=delivery.delivery_id,
                code=reason.code,
                text=reason.text,
                path=delivery.path,
                sha256=delivery.sha256,
                bytes=delivery.bytes,
                received_at=delivery.received_at,
                quarantined_at=at,
            )
        ]
    )


def settle_number(work: Work, connector: str, sequence: int, *, at: datetime, why: str) -> None:
    """Settle the refused files of a sequence number that nobody waits for any longer."""
    settle(work, work.deliveries.numbered(connector, sequence), at=at, why=why)


def settle(work: Work, delivery_ids: Sequence[str], *, at: datetime, why: str) -> None:
    """Settle what waits for deliveries that nobody waits for any longer."""
    waiting = work.quarantine.waiting_for(delivery_ids)
    if waiting:
        work.quarantine.settle(waiting, QuarantineState.RESOLVED, at=at)
        work.quarantine.history.append(
            Action(
                at=at,
                who=HUB.name,
                authenticated=HUB.authenticated,
                what=What.RESOLVED,
                reason=why,
                item_ids=tuple(waiting),
            )
        )
