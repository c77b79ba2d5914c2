"""SQL in specs: what it gives, and what is refused."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationhub.errors import ConfigurationError
from integrationhub.mapping import sql

ROWS = pl.DataFrame(
    {"L-KIND": ["C", "R", None], "n": [1, -2, None], "m": [10, 20, 30], "t": ["ab", " x ", None], "g": [1, 1, 2]}
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[L-KIND] = 'C'", [True, False, None]),
        ("\"L-KIND\" <> 'C'", [False, True, None]),
        ("n + m * 2", [21, 38, None]),
        ("-n", [-1, 2, None]),
        ("m % 20", [10, 0, 10]),
        ("n < m AND m <= 20", [True, True, False]),
        ("n IS NULL OR n > 0", [True, False, True]),
        ("NOT (n > 0)", [False, True, None]),
        ("n IS NOT NULL", [True, True, False]),
        ("(n > 0) IS TRUE", [True, False, False]),
        ("n BETWEEN -2 AND 0", [False, True, None]),
        ("[L-KIND] IN ('C', 'A')", [True, False, None]),
        ("[L-KIND] NOT IN ('C', 'A', 'B', 'D', 'E', 'F')", [False, True, None]),
        ("n IN (1, 2, 3, 4, 5)", [True, False, None]),
        ("CASE [L-KIND] WHEN 'C' THEN 'charge' ELSE 'other' END", ["charge", "other", "other"]),
        ("CASE WHEN n > 0 THEN n WHEN n < 0 THEN 0 END", [1, 0, None]),
        ("COALESCE(n, m)", [1, -2, 30]),
        ("NULLIF(n, 1)", [None, -2, None]),
        ("GREATEST(n, m)", [10, 20, 30]),
        ("LEAST(m, 15)", [10, 15, 15]),
        ("ABS(n)", [1, 2, None]),
        ("t || '/' || CAST(m AS TEXT)", ["ab/10", " x /20", None]),
        ("UPPER(TRIM(t))", ["AB", "X", None]),
        ("LOWER([L-KIND])", ["c", "r", None]),
        ("LENGTH(t)", [2, 3, None]),
        ("LEFT(t, 1)", ["a", " ", None]),
        ("RIGHT(t, 1)", ["b", " ", None]),
        ("SUBSTRING(t, 2, 1)", ["b", "x", None]),
        ("LPAD(CAST(m AS TEXT), 4, '0')", ["0010", "0020", "0030"]),
        ("LAG(m) OVER (PARTITION BY g)", [None, 10, None]),
        ("DATE '2008-10-26'", [date(2008, 10, 26)] * 3),
        ("TRUE", [True] * 3),
        ("NULL", [None] * 3),
        ("m -- a comment", [10, 20, 30]),
    ],
)
def test_an_expression_gives_what_sql_says(text: str, expected: list[Any]) -> None:
    expression = sql.translate(sql.parse(text), pl.col)

    assert ROWS.with_columns(expression.alias("=x"))["=x"].to_list() == expected


@pytest.mark.parametrize(
    "text",
    [
        "", ";", "n; m", "SELECT 1", "(SELECT n)", "n IN (SELECT 1)", "EXISTS (SELECT 1)", "COALESCE(n, (SELECT 1))",
        "read_csv('x')", "read_parquet('x')", "glob('x')", "getenv('HOME')", "load_extension('x')", "pg_read_file('x')",
        "NOW()", "CURRENT_DATE", "CURRENT_TIMESTAMP", "RANDOM()", "RAND()", "UUID()", "SLEEP(1)", "made_up(n)",
        "WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r", "DROP TABLE t", "COPY t TO 'x'", "ATTACH 'x'", "PRAGMA x",
        "*", "COUNT(*)", "SUM(n)", "SUM(n) OVER (PARTITION BY g)", "ROW_NUMBER() OVER (PARTITION BY g)",
        "LAG(n)", "LAG(n) OVER ()", "LAG(n, 2) OVER (PARTITION BY g)", "LAG(n) OVER (PARTITION BY g ORDER BY n)",
        "1.5", "1e3", "n / 2", "CAST(t AS BIGINT)", "CAST(n AS DECIMAL(3, 1))", "n::float", "TRY_CAST(t AS INT)",
        "t LIKE 'x%'", "t ~ 'x'", "IF(n > 0, 1, 2)", "n = ANY(m)", "n[1]", "ARRAY[1]", "{'a': 1}", "x -> x + 1",
        ":n", "?", "@n", "a.b.c", "n AS m", "t COLLATE x", "TRIM(BOTH 'x' FROM t)", "SUBSTRING(t, m)", "LEFT(t, m)",
        "LPAD(t, 3, 'ab')", "n IN (m)", "n IS DISTINCT FROM m", "DATE '2008-13-01'", "[^.*$]", '"*"',
        "[L-KIND", "CASE", "n +", "SUBSTRING(t)", "LPAD(t, 1001, '0')", "t IN ('a', 1)", "n IN (1, 'a', 2, 'b', 3)",
        "(" * 2000 + "n" + ")" * 2000, " + ".join(["n"] * 800), "NOT " * 500 + "TRUE",
    ],
)  # fmt: skip
def test_what_could_reach_out_loop_or_round_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        sql.parse(text)

    assert caught.value.code in {"SQL_INVALID", "SQL_NOT_ALLOWED"}


@given(
    st.text(
        alphabet=st.sampled_from("nm[]\"'()=<>+-*/%,. 01|;:@?#$&~^!{}\n") | st.characters(exclude_categories=["Cs"]),
        max_size=60,
    )
)
@example("SELECT")
@example("CASE WHEN")
@example("'")
def test_any_text_is_translated_or_refused(text: str) -> None:
    try:
        tree = sql.parse(text)
    except ConfigurationError:
        return

    assert sql.names(tree) is not None


def test_names_are_told_once_in_order_with_their_alias() -> None:
    tree = sql.parse("CASE WHEN own.[C-STATUS] = 'L' THEN [L-AMOUNT] ELSE [L-AMOUNT] + [own.C-BAL-RP] END")

    assert sorted(sql.names(tree)) == ["L-AMOUNT", "own.C-BAL-RP", "own.C-STATUS"]


def test_the_text_constants_an_expression_can_give_are_known() -> None:
    tree = sql.parse("CASE n WHEN 1 THEN 'A' ELSE COALESCE((CASE m WHEN 2 THEN 'B' END), 'C') END")

    assert set(sql.text_results(tree)) == {"A", "B", "C"}
