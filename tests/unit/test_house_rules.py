"""Rules of the house that no linter knows: sizes, names, purity, nothing of one machine."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

CHECKOUT = Path(__file__).parents[2]
SOURCES = sorted((CHECKOUT / "src").rglob("*.py"))
PURE = [
    path
    for path in SOURCES
    if path.relative_to(CHECKOUT / "src" / "integrationhub").parts[0] in ("decode", "mapping", "schemes")
]

MODULE_LINES = 500
FUNCTION_LINES = 60
MEDIAN_LINES = 10
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
IMPURE = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("os", "environ"),
    ("os", "getenv"),
}  # fmt: skip
PLACES = re.compile(
    "|".join([r"\.\." + "/shared", "/(work|root|farm|tmp)" + "/", "pypi" + r"\.org", "files.python" + "hosted"])
)


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _shown(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def _tracked_text() -> Iterator[tuple[Path, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\0"):
        path = CHECKOUT / name
        if path.is_file():
            yield path, path.read_bytes().decode(errors="ignore")


def test_no_module_is_two_ideas() -> None:
    long = {_shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}

    assert {name: lines for name, lines in long.items() if lines > MODULE_LINES} == {}


def test_functions_can_be_read_at_a_glance() -> None:
    sizes = {f"{_shown(path)}:{node.lineno} {node.name}": _lines(node) for path in SOURCES for node in _functions(path)}

    assert {name: lines for name, lines in sizes.items() if lines > FUNCTION_LINES} == {}
    assert median(sizes.values()) < MEDIAN_LINES


def test_modules_are_named_by_what_they_hold() -> None:
    assert [_shown(path) for path in SOURCES if VAGUE & set(re.split(r"[_/.]", _shown(path)))] == []


def test_decoding_mapping_and_schemes_ask_neither_clock_nor_environment() -> None:
    found = [
        f"{_shown(path)}:{node.lineno}"
        for path in PURE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and (ast.unparse(node.value).rpartition(".")[2], node.attr) in IMPURE
    ]

    assert PURE
    assert found == []


def test_a_broad_except_passes_the_error_on_or_gives_its_reason() -> None:
    found = [
        f"{_shown(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
        and "#" not in path.read_text(encoding="utf-8").splitlines()[node.lineno - 1]
    ]

    assert found == []


def test_nothing_tracked_names_a_place_of_one_machine() -> None:
    found = [f"{_shown(path)}: {match[0]}" for path, text in _tracked_text() if (match := PLACES.search(text))]

    assert found == []


def test_no_test_is_switched_off() -> None:
    off = re.compile(r"pytest\.(mark\.)?(" + "skip|xfail|importorskip" + ")")

    assert [_shown(path) for path, text in _tracked_text() if path.suffix == ".py" and off.search(text)] == []
