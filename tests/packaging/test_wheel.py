"""The wheel, in an environment of its own, is the whole hub: code, connectors, mappings, plans."""

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


def _run(*command: str | Path, cwd: Path = CHECKOUT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds the wheel alone and sees the packages of the lock file."""

    root: Path

    def hub(self, *arguments: str) -> str:
        return _run(self.root / "bin" / "integrationhub", *arguments, cwd=self.root)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    root = tmp_path_factory.mktemp("clean") / "env"
    venv.create(root, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(root / "bin" / "python"), "--disable-pip-version-check"]
    _run(*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    # The lock's packages come from this run's environment; its own path files, the editable hub's among them, are not
    # followed from there.
    (site_packages,) = root.glob("lib/python*/site-packages")
    (site_packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return Environment(root)


def test_the_wheel_holds_every_shipped_file(wheel: Path) -> None:
    tracked = _run("git", "ls-files", "connectors", "mappings", "migration").splitlines()

    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert tracked
    assert [path for path in tracked if f"integrationhub/_shipped/{path}" not in names] == []


def test_the_installed_hub_tells_its_version(environment: Environment) -> None:
    assert environment.hub("version").startswith("integrationhub ")


def test_the_installed_hub_finds_what_is_shipped_in_the_wheel_alone(environment: Environment) -> None:
    shipped = {path.parent.name for path in CHECKOUT.glob("connectors/*/connector.toml")}

    rows = json.loads(environment.hub("connector", "list", "--json"))

    assert {row["name"] for row in rows} == shipped
    assert {row["origin"] for row in rows} == {"shipped"}
    for name in shipped:
        folder = json.loads(environment.hub("connector", "show", name, "--json"))["folder"]
        assert Path(folder).is_relative_to(environment.root.resolve())


def test_the_installed_hub_has_everything_it_needs(environment: Environment) -> None:
    findings = json.loads(environment.hub("doctor", "--json"))

    assert [finding for finding in findings if finding["state"] == "fault"] == []
