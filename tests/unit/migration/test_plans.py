"""Plans: every fault at once, a hash over all that decides, selections that can read nothing but their table."""

import shutil
from pathlib import Path

import pytest

from integrationhub.catalogue import shipped_connectors
from integrationhub.errors import ConfigurationError
from integrationhub.migration.checking import Surroundings, bind, load
from integrationhub.migration.selection import faults_of

SHIPPED = shipped_connectors() / "migration"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a shipped plan."""
    copied = tmp_path / "csa-all"
    shutil.copytree(SHIPPED / "csa-all", copied)
    return copied


def edit(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text("utf-8")
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after, 1)
    path.write_text(text, "utf-8")


def faults(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        load(folder)
    return list(refused.value.faults)


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    mapping = tmp_path / "mapping"
    mapping.mkdir()
    (mapping / "cases.toml").write_text("version = 1\n", "utf-8")
    thresholds = tmp_path / "arrears.toml"
    thresholds.write_text("[[thresholds]]\n", "utf-8")
    names = ("csa1993", "csa2003", "clerical")
    return Surroundings(
        mappings=dict.fromkeys(names, mapping), paths={"arrears thresholds": thresholds}, settings={"synthetic": "True"}
    )


@pytest.mark.parametrize("name", ["csa-1993", "csa-2003", "csa-all"])
def test_shipped_plans_have_no_faults(name: str) -> None:
    plan, policy = load(SHIPPED / name)

    assert plan.wave[0].pilot
    assert policy.tolerances.pence == 0


def test_all_faults_of_plan_and_policy_are_told_at_once(folder: Path) -> None:
    edit(folder / "plan.toml", ("share = 0.5", "share = 0.5\nsize = 3\nselect = 'SELECT group_id FROM parties'"))
    edit(folder / "plan.toml", ('name = "rest"', 'name = "main"'))
    edit(
        folder / "policy.toml",
        ("unmoved-groups", "unmoved-group"),
        ('measure = "held-share"', 'select = "DROP TABLE wave_groups" #'),
    )

    found = faults(folder)

    assert len(found) == 5
    for words in ("main stands there twice", "both size and share", "case_groups only", "no measure", "one SELECT"):
        assert any(words in fault for fault in found), words


def test_unknown_words_and_a_tolerance_of_a_penny_are_faults(folder: Path) -> None:
    edit(folder / "policy.toml", ("pence = 0", "pence = 1"), ("[clocks]", "[clocks]\nleap = 1"))

    assert [fault.split(":")[1].strip() for fault in faults(folder)] == ["clocks.leap", "tolerances.pence"]


def test_a_missing_policy_is_a_fault(folder: Path) -> None:
    (folder / "policy.toml").unlink()

    assert faults(folder) == ["policy.toml: is not there"]


def test_the_hash_changes_with_everything_that_decides_and_with_nothing_else(
    folder: Path, surroundings: Surroundings
) -> None:
    seen = {bind(folder, surroundings).hash}
    for path in (
        folder / "plan.toml",
        folder / "policy.toml",
        surroundings.mappings["csa1993"] / "cases.toml",
        surroundings.paths["arrears thresholds"],
    ):
        path.write_text(path.read_text("utf-8") + "# changed\n", "utf-8")
        seen.add(bind(folder, surroundings).hash)
    other = Surroundings(mappings=surroundings.mappings, paths=surroundings.paths, settings={"synthetic": "False"})
    seen.add(bind(folder, other).hash)
    (folder / "README.md").write_text("another runbook", "utf-8")

    assert len(seen) == 6
    assert bind(folder, surroundings).hash in seen


@pytest.mark.parametrize(
    "text",
    [
        "SELECT group_id FROM cases",
        "SELECT group_id FROM case_groups; SELECT 1",
        "DELETE FROM case_groups",
        "SELECT group_id FROM read_csv('/etc/passwd')",
        "SELECT group_id FROM '/etc/passwd'",
        "SELECT group_id, (SELECT count(*) FROM sqlite_master) FROM case_groups",
        "COPY case_groups TO 'out.csv'",
        "SELECT group_id FROM case_groups WHERE surname = 'x'",
        "SELECT segment FROM case_groups",
        "SELECT group_id FROM (",
    ],
)
def test_a_selection_reads_case_groups_and_nothing_else(text: str) -> None:
    assert faults_of(text, table="case_groups", column="group_id")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT group_id FROM case_groups WHERE segment = '5' AND rp_pence > 100000",
        "WITH rich AS (SELECT * FROM case_groups WHERE rp_pence > 0) SELECT group_id FROM rich ORDER BY rp_pence",
    ],
)
def test_a_sound_selection_has_no_faults(text: str) -> None:
    assert faults_of(text, table="case_groups", column="group_id") == []
