"""XML attacks end with a reason: no file is read, no connection opened, no memory spent (benefits-common.md §6)."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.unit.bank.attacks import ATTACKS
from tests.unit.bank.world import ROOT

MOST = 100
"""Megabytes that an attack may cost; each that is endless sends 300, and entities would unfold to terabytes."""


@pytest.fixture(scope="module")
def attacked() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.bank.attacks"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_ends_with_its_reason_and_touches_nothing(attacked: dict[str, Any], name: str) -> None:
    code, _ = ATTACKS[name]
    found = attacked[name]
    assert (found["code"], found["opened"]) == (code, [])
    assert found["grown"] < MOST
