"""What an operator may do to a feed: hold it, let it go on, pass over a number that will never come."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from integrationhub.errors import Conflict
from integrationhub.intake import refusals
from integrationhub.store.feeds import SkippedNumber
from integrationhub.store.unit_of_work import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDesk:
    """One connector's feed, as operators handle it. Everything is kept with who, when and why."""

    store: Store
    connector: str
    clock: Callable[[], datetime]

    def pause(self, *, by: str, reason: str) -> None:
        """Hold the connector until `resume`."""
        with self.store.begin() as work:
            feed = work.feeds.lock(self.connector)
            work.feeds.save(replace(feed, paused=True, paused_at=self.clock(), paused_by=by, paused_reason=reason))
            work.commit()

    def resume(self, *, skip: int | None, by: str, reason: str | None) -> None:
        """End pause and stop; with `skip` that sequence number counts as used up.

        Conflict: the number is not the one the feed waits for, so that passing over it would hide another gap.
        """
        with self.store.begin() as work:
            feed = work.feeds.lock(self.connector)
            if skip is not None:
                self._require_next(skip, feed.last_sequence, feed.stopped_sequence)
                work.feeds.skip(
                    SkippedNumber(
                        connector=self.connector,
                        sequence=skip,
                        reason=reason or "",
                        skipped_by=by,
                        skipped_at=self.clock(),
                    )
                )
                refusals.settle_number(
                    work, self.connector, skip, at=self.clock(), why=f"{by} passed over number {skip}"
                )
                feed = replace(feed, last_sequence=max(skip, feed.last_sequence or skip))
            work.feeds.save(
                replace(
                    feed,
                    stopped_sequence=None,
                    stopped_code=None,
                    stopped_at=None,
                    paused=False,
                    paused_at=None,
                    paused_by=None,
                    paused_reason=None,
                )
            )
            work.commit()

    def _require_next(self, skip: int, last: int | None, stopped: int | None) -> None:
        """The number that comes next may be passed over, or one that was refused although it was used up already."""
        expected = stopped if last is None else last + 1
        if skip == expected or (skip == stopped and last is not None and skip <= last):
            return
        waits = "it waits for none" if expected is None else f"that is {expected}"
        raise Conflict(
            f"sequence {skip} is not the one that {self.connector} waits for ({waits})",
            code="NOT_NEXT",
            remedy="look at `integrationhub status`" + (f"; {expected} comes first" if expected is not None else ""),
        )
