"""The canonical merge: frames of rows into the canonical tables, set by set, one way for a few rows and for millions.

A file is merged slice by slice (`merge_groups`), in any order or at the same time, each slice in a transaction of its
own with everything that belongs to it; when all slices are in, `close_file` deals with what the file no longer has. The
result does not depend on the order: a row belongs to one slice only (parties excepted, where the later record counts),
and a slice never touches a case that stands in another.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from integrationhub.canonical.model import ENTITIES
from integrationhub.store import closing, contents, debts, ledger, replacing, seal, staging, upserting
from integrationhub.store.dialect import fetch_frame
from integrationhub.store.frames import VERSION_STEP, conform
from integrationhub.store.schema import CANONICAL
from integrationhub.store.slices import NOTHING, LedgerSums, Slices
from integrationhub.store.staging import ENTITY_STAGES, VANISHED_CASES, Rendered
from integrationhub.store.upserting import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a slice changed. `groups`: identifiers of the groups that were replaced; a repeated slice has none.

    `debts` (store.debts.CHANGE_SCHEMA): debts that were created, changed or removed, with source balances before and
    after. `ledger`: sums over the entries that were added, those that take others back included.
    """

    groups: tuple[str, ...] = ()
    debts: pl.DataFrame
    ledger: LedgerSums = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What the end of a file changed: cases taken out, their debts, and groups gone from a whole book (references)."""

    withdrawn_cases: int = 0
    gone_groups: tuple[str, ...] = ()
    debts: pl.DataFrame
    ledger: LedgerSums = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRows:
    """The rows of a slice, fit to be staged: `frames` by entity, what of them is rendered already, and the digests of
    its groups (store.contents).
    """

    frames: Mapping[str, pl.DataFrame]
    contents: pl.DataFrame
    rendered: Mapping[str, Rendered] = field(default_factory=dict)


def fit(rows: Mapping[str, pl.DataFrame], *, delivery_id: str, sequence: int, render: bool = False) -> SliceRows:
    """Everything about a slice's rows that needs no database: columns checked, ledger lines sealed.

    With `render`, also brought into the form in which PostgreSQL takes them. InvariantBroken: rows of another delivery,
    two rows with one identifier, or a required value missing.
    """
    frames = {
        name: conform(ENTITIES[name], frame, delivery_id=delivery_id, sequence=sequence) for name, frame in rows.items()
    }
    if "ledger" in frames:
        frames["ledger"] = seal.seal(frames["ledger"])
    ready = {name: staging.render(ENTITY_STAGES[name], frame) for name, frame in frames.items()} if render else {}
    return SliceRows(frames=frames, rendered=ready, contents=contents.digests(frames))


class Canonical:
    """Writes canonical rows inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def merge_groups(
        self,
        rows: Mapping[str, pl.DataFrame] | SliceRows,
        *,
        delivery_id: str,
        sequence: int,
        slice_no: int,
        whole_groups: bool = True,
    ) -> Merged:
        """Replace every group in `rows["groups"]` as a whole; groups that are stored as new or newer stay as they are.

        `rows`: frames by entity name with the entity's columns (a ledger frame may lack entry_id and digest, the store
        computes them), or what `fit` made of them; entities without rows may be missing. Every row of a group comes in
        the same call. The slice must have been claimed (`Slices.claim`) in this transaction: its control sums are kept
        there. Without `whole_groups` the delivery carries single cases: those are replaced, others of their groups
        stay. InvariantBroken: see `fit`.
        """
        ready = rows if isinstance(rows, SliceRows) else fit(rows, delivery_id=delivery_id, sequence=sequence)
        staging.prepare(self._connection, *staging.CANONICAL_STAGES)
        fresh = self._stage_fresh_groups(ready)
        if not fresh:
            return Merged(debts=debts.no_changes())
        self._stage_rows(ready, fresh)
        self._keep_contents(ready, fresh, None if whole_groups else delivery_id)
        changes, sums = self._replace(sequence * VERSION_STEP, whole_groups=whole_groups)
        Slices(self._connection).add_ledger(delivery_id, slice_no, sums)
        return Merged(groups=fresh, debts=changes, ledger=sums)

    def upsert(self, rows: Mapping[str, Columns]) -> list[dict[str, Any]]:
        """Bring in rows of messages (by entity and column), each key once: the debts that changed (CHANGE_SCHEMA).

        Nothing else is touched: no other row of a group or case. Which message is the newest is the caller's business
        (`store.entity_versions`). InvariantBroken: entities of which rows are never changed.
        """
        return upserting.upsert(self._connection, rows)

    def close_file(
        self,
        *,
        delivery_id: str,
        sequence: int,
        slice_no: int,
        source_system: str,
        whole_book: bool,
        whole_groups: bool = True,
        held_groups: Collection[str] = (),
        held_cases: Collection[str] = (),
    ) -> Closed:
        """Take out what the file no longer has, once all its slices are merged (the last one in this transaction, too).

        `held_groups`, `held_cases`: identifiers of groups that are in quarantine and of the cases they claim; they are
        in the file, so nothing of theirs is missing. `slice_no` keeps the control sums of what is taken back.
        """
        base = sequence * VERSION_STEP
        connection = self._connection
        staging.prepare(connection, *staging.CANONICAL_STAGES)
        closing.stage_held(connection, held_groups, held_cases)
        if not whole_groups:  # what a group came without is still there
            closing.count_cases(connection, delivery_id=delivery_id)
            return Closed(debts=debts.no_changes())
        vanished = closing.find_vanished(connection, delivery_id=delivery_id, base=base, whole_book=whole_book)
        removed, sums = self._withdraw(base) if vanished else (debts.no_changes(), NOTHING)
        closing.mark_held(connection, delivery_id=delivery_id, base=base)
        gone = closing.mark_gone(connection, source_system=source_system, base=base) if whole_book else ()
        Slices(connection).add_ledger(delivery_id, slice_no, sums)
        return Closed(withdrawn_cases=vanished, gone_groups=gone, debts=removed, ledger=sums)

    def _stage_fresh_groups(self, rows: SliceRows) -> tuple[str, ...]:
        groups = rows.frames.get("groups")
        if groups is None or groups.is_empty():
            return ()
        stage, table = ENTITY_STAGES["groups"], CANONICAL["groups"]
        staging.fill(self._connection, stage, groups, rows.rendered.get("groups"))
        joined = stage.join(table, table.c.group_id == stage.c.group_id)
        stale = select(stage.c.group_id).select_from(joined).where(table.c.version >= stage.c.version)
        known = fetch_frame(self._connection, stale, {"group_id": pl.String()})
        if known.is_empty():
            return tuple(groups["group_id"])
        newer = groups.join(known, on="group_id", how="anti", maintain_order="left")
        staging.clear(self._connection, [stage])
        staging.fill(self._connection, stage, newer)
        return tuple(newer["group_id"])

    def _stage_rows(self, rows: SliceRows, fresh: tuple[str, ...]) -> None:
        kept = pl.DataFrame({"group_id": fresh}, schema={"group_id": pl.String()})
        all_fresh = kept.height == rows.frames["groups"].height
        for name, frame in rows.frames.items():
            if name == "groups":
                continue
            if all_fresh or not ENTITIES[name].group_scoped:
                staging.fill(self._connection, ENTITY_STAGES[name], frame, rows.rendered.get(name))
            else:
                chosen = frame.join(kept, on="group_id", how="semi", maintain_order="left")
                staging.fill(self._connection, ENTITY_STAGES[name], chosen)

    def _keep_contents(self, rows: SliceRows, fresh: Collection[str], part_of: str | None) -> None:
        """Note what the fresh groups say; `part_of`: the delivery that carried but a part of them."""
        found = rows.contents.filter(pl.col("group_id").is_in(list(fresh)))
        contents.keep(self._connection, contents.mixed(found, part_of) if part_of else found)

    def _replace(self, base: int, *, whole_groups: bool) -> tuple[pl.DataFrame, LedgerSums]:
        connection, cases = self._connection, ENTITY_STAGES["cases"]
        changes = debts.staged_changes(connection)
        # Part of a group may touch rows that its cases and groups don't tell of.
        seen_before = not whole_groups or replacing.any_stored(connection)
        if seen_before:
            changes = pl.concat([changes, debts.left_out(connection, cases)]).sort("debt_id")
            replacing.delete_left_out(connection, cases, base=base)
            if whole_groups:
                replacing.delete_left_out_of_groups(connection, base=base)
            else:
                replacing.delete_left_out_of_parties(connection, base=base)
        for name, entity in ENTITIES.items():
            if not entity.append_only:
                replacing.upsert_entity(connection, name)
        if not seen_before:  # nothing stored can be left out, or have live entries
            return changes, ledger.enter_lines(connection)
        debts.remove_left_out(connection, cases)
        return changes, self._merge_ledger(whole_groups=whole_groups)

    def _merge_ledger(self, *, whole_groups: bool) -> LedgerSums:
        ledger.find_live_of_cases(self._connection, ENTITY_STAGES["cases"])
        if whole_groups:
            ledger.find_live_of_groups(self._connection)
        else:
            ledger.find_live_that_come_again(self._connection)
        return ledger.merge_lines(self._connection)

    def _withdraw(self, base: int) -> tuple[pl.DataFrame, LedgerSums]:
        connection = self._connection
        removed = debts.left_out(connection, VANISHED_CASES)
        replacing.delete_left_out(connection, VANISHED_CASES, base=base)
        debts.remove_left_out(connection, VANISHED_CASES)
        ledger.find_live_of_cases(connection, VANISHED_CASES)
        sums = ledger.merge_lines(connection)
        closing.mark_vanished(connection)
        return removed, sums
