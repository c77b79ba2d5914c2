"""Flat lists brought together in source groups, and groups in portions that fit into memory.

The rows of a document stand in lists by kind and name each other by keys. A **source group** is everything of the
cases that one party has in the role that owns a group (in CS2 the non-resident parent); a case without such a party
is a group of its own. A row that hangs on nothing in the document is a group of its own, too, without cases: it is
kept, and nothing else depends on it.

Only keys are held for the whole document; its values come portion by portion. Portions hold whole groups in the order
in which their first case stands in the document, and depend on the document alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from integrationhub.sdk.descriptor import DocumentGroups, DocumentSums

PORTION = 100_000
"""Elements that a portion has at most, if no group is larger."""

ALONE = "alone"
ROW_ID = "id"
"""The attribute that tells rows of a list apart, in every file alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Where every element belongs. `rows`: table → frame of `_record`, `group`, `portion`, in the table's order.

    `groups`: `group`, `owner` (party key or null), `cases`, `portion` and the place of its first element.
    """

    rows: Mapping[str, pl.DataFrame]
    groups: pl.DataFrame
    portions: int


def wanted_keys(rules: DocumentGroups) -> dict[str, tuple[str, ...]]:
    """The columns of each table that `group_rows` must see."""
    wanted: dict[str, set[str]] = {
        rules.cases: {rules.case_key},
        rules.parties: {rules.party_key},
        rules.roles: {rules.role_case, rules.role_party, *rules.role},
    }
    for table, column in (*rules.by_case.items(), *rules.by_party.items()):
        wanted.setdefault(table, set()).add(column)
    for table, (column, parent, key) in rules.by_parent.items():
        wanted.setdefault(table, set()).add(column)
        wanted.setdefault(parent, set()).add(key)
    for table in (*rules.by_case, *rules.by_parent, *rules.by_party, rules.parties):
        wanted.setdefault(table, set()).add(ROW_ID)
    return {table: tuple(sorted(columns)) for table, columns in wanted.items()}


def group_rows(rules: DocumentGroups, keys: Mapping[str, pl.DataFrame], *, portion: int = PORTION) -> Grouping:
    """The grouping of a document. `keys`: table → `_record`, `_offset` and the columns of `wanted_keys`."""
    cases = _groups_of_cases(rules, keys)
    owners = _groups_of_owners(cases)
    rows: dict[str, pl.DataFrame] = {rules.cases: cases.select("_record", "_offset", "group")}
    known = {rules.cases: cases.select(pl.col("case").alias("key"), "group")}
    for table, column in rules.by_case.items():
        rows[table] = _by_key(keys[table], [(column, known[rules.cases]), *_party_rule(rules, table, owners)], table)
    for table, (column, parent, key) in rules.by_parent.items():
        parents = rows[parent].with_columns(keys[parent][key].alias("key")).select("key", "group")
        rows[table] = _by_key(keys[table], [(column, parents), *_party_rule(rules, table, owners)], table)
    parties = _groups_of_parties(rules, keys, rows, owners)
    rows[rules.parties] = _by_key(keys[rules.parties], [(rules.party_key, parties)], rules.parties)
    for table, column in rules.by_party.items():
        if table not in rows:
            homes = rows[rules.parties].with_columns(keys[rules.parties][rules.party_key].alias("key"))
            rows[table] = _by_key(keys[table], [(column, homes.select("key", "group"))], table)
    return _in_portions(rows, cases, portion)


def _groups_of_cases(rules: DocumentGroups, keys: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """`case`, `group`, `owner` and place of every case."""
    owning = pl.all_horizontal([pl.col(column) == code for column, code in rules.role.items()])
    owners = (
        keys[rules.roles]
        .filter(owning)
        .unique(rules.role_case, keep="first", maintain_order=True)
        .select(pl.col(rules.role_case).alias("case"), pl.col(rules.role_party).alias("owner"))
    )
    cases = keys[rules.cases].select("_record", "_offset", pl.col(rules.case_key).alias("case"))
    return cases.join(owners, on="case", how="left", maintain_order="left").with_columns(
        pl.coalesce(pl.col("owner"), pl.concat_str([pl.lit(f"{ALONE}/{rules.cases}/"), pl.col("case")])).alias("group")
    )


def _groups_of_owners(cases: pl.DataFrame) -> pl.DataFrame:
    owners = cases.drop_nulls("owner").unique("owner", keep="first", maintain_order=True)
    return owners.select(pl.col("owner").alias("key"), "group")


def _party_rule(rules: DocumentGroups, table: str, owners: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """A row whose case is not there belongs to the group of the party that it names, if that owns one."""
    return [(rules.by_party[table], owners)] if table in rules.by_party else []


def _groups_of_parties(
    rules: DocumentGroups, keys: Mapping[str, pl.DataFrame], rows: Mapping[str, pl.DataFrame], owners: pl.DataFrame
) -> pl.DataFrame:
    """A party stands in its own group, or in that of its first role."""
    roles = rows[rules.roles].with_columns(keys[rules.roles][rules.role_party].alias("key"))
    homes = roles.filter(~pl.col("group").str.starts_with(f"{ALONE}/{rules.roles}/")).select("key", "group")
    return pl.concat([owners, homes]).unique("key", keep="first", maintain_order=True)


def _by_key(rows: pl.DataFrame, lookups: list[tuple[str, pl.DataFrame]], table: str) -> pl.DataFrame:
    """`_record`, `_offset`, `group`: by the first lookup that knows the row's key, or alone."""
    found = rows
    for number, (column, known) in enumerate(lookups):
        unique = known.unique("key", keep="first", maintain_order=True).rename({"group": f"group_{number}"})
        found = found.join(unique, left_on=column, right_on="key", how="left", maintain_order="left")
    alone = pl.concat_str([pl.lit(f"{ALONE}/{table}/"), pl.col(ROW_ID)])
    group = pl.coalesce(*(pl.col(f"group_{number}") for number in range(len(lookups))), alone)
    return found.select("_record", "_offset", group.alias("group"))


def _in_portions(rows: Mapping[str, pl.DataFrame], cases: pl.DataFrame, portion: int) -> Grouping:
    every = pl.concat([frame.select("_record", "_offset", "group") for frame in rows.values()])
    sizes = every.group_by("group").agg(
        pl.len().alias("size"),
        pl.col("_record").min(),
        pl.col("_offset").min(),
    )
    counted = cases.group_by("group").agg(
        pl.len().alias("cases"), pl.col("owner").first(), pl.col("_record").min().alias("first_case")
    )
    groups = (
        sizes.join(counted, on="group", how="left")
        .sort(pl.col("first_case").fill_null(2**62), "_record")
        .with_columns(
            pl.col("cases").fill_null(0).cast(pl.Int64),
            ((pl.col("size").cum_sum() - pl.col("size")) // portion).alias("portion"),
        )
    )
    numbers = groups["portion"].unique().sort()
    groups = groups.with_columns(pl.col("portion").rank("dense").cast(pl.Int64) - 1)
    placed = groups.select("group", "portion")
    return Grouping(
        rows={
            table: frame.join(placed, on="group", how="left", maintain_order="left").select(
                "_record", "group", "portion"
            )
            for table, frame in rows.items()
        },
        groups=groups.select("_record", "_offset", "group", "owner", "cases", "portion"),
        portions=max(len(numbers), 1),
    )


def added_up(rule: DocumentSums, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The table that a rule adds up, from the tables of one portion; its place is that of the first row added."""
    lines_of, column, key = rule.lines
    counted = tables[lines_of].group_by(column).agg(pl.len().cast(pl.Int64).alias("lines"))
    rows = tables[rule.table].join(counted, left_on=key, right_on=column, how="left", maintain_order="left")
    owner = pl.col(rule.owner).replace(rule.alike)
    return (
        rows.with_columns(owner)
        .group_by("group", rule.case, rule.owner, maintain_order=True)
        .agg(
            pl.col("_record").min(),
            pl.col("_offset").min(),
            *(pl.col(name).sum() for name in rule.fields),
            pl.col("lines").fill_null(0).sum(),
        )
        .select("_record", "_offset", "group", rule.case, rule.owner, *rule.fields, "lines")
        .sort("_record")
    )
