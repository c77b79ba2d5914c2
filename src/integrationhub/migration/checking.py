"""Plans from their folders: read, checked for every fault at once, and bound by a hash to all that decides with them.

The hash covers plan.toml and policy.toml, the mappings of the plan's connectors with their code lists, the arrears
thresholds, the settings that change verdicts, and the source of the hub itself. A rehearsal and an approval are for one
hash; whatever of this changes makes another one.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from integrationhub.errors import ConfigurationError
from integrationhub.migration import selection
from integrationhub.migration.measures import MEASURES
from integrationhub.migration.plan import Plan, Policy

PLAN, POLICY = "plan.toml", "policy.toml"
_SOURCES = ("*.py", "*.sql")

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundPlan:
    """A faultless plan with its policy and the hash over everything that decides with them; `parts` are the pieces."""

    name: str
    plan: Plan
    policy: Policy
    hash: str
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What plans are bound to besides their own files: mapping folders by connector, other folders and files by what
    they are, and settings as text.
    """

    mappings: Mapping[str, Path]
    paths: Mapping[str, Path]
    settings: Mapping[str, str]


def load(folder: Path) -> tuple[Plan, Policy]:
    """Plan and policy of a folder; ConfigurationError lists every fault of both."""
    faults: list[str] = []
    plan = _read(folder / PLAN, Plan, faults)
    policy = _read(folder / POLICY, Policy, faults)
    if plan:
        faults += _plan_faults(plan)
    if plan and policy:
        faults += _policy_faults(plan, policy)
    if faults or plan is None or policy is None:
        raise ConfigurationError(
            f"the plan {folder.name} has {len(faults)} fault{'s' if len(faults) > 1 else ''}",
            faults=faults,
            code="PLAN",
            remedy=f"mend them all, then run: integrationhub migrate plan check {folder.name}",
        )
    return plan, policy


def bind(folder: Path, surroundings: Surroundings) -> BoundPlan:
    """The plan of a folder with its hash; ConfigurationError lists every fault."""
    plan, policy = load(folder)
    missing = sorted(set(plan.plan.connectors) - set(surroundings.mappings))
    if missing:
        faults = [f"{PLAN}: plan.connectors: there is no connector {name}" for name in missing]
        raise ConfigurationError(f"the plan {folder.name} has faults", faults=faults, code="PLAN")
    files = {PLAN: folder / PLAN, POLICY: folder / POLICY}
    files |= {f"mapping {name}": surroundings.mappings[name] for name in plan.plan.connectors}
    parts = {what: digest_of(path) for what, path in {**files, **surroundings.paths}.items()}
    parts |= {f"setting {name}": value for name, value in surroundings.settings.items()}
    whole = "\n".join(f"{what}={value}" for what, value in sorted(parts.items()))
    return BoundPlan(
        name=folder.name, plan=plan, policy=policy, hash=sha256(whole.encode()).hexdigest(), parts=dict(parts)
    )


def digest_of(path: Path) -> str:
    """SHA-256 over a file, or over the names and bytes of all TOML and CSV files, or all sources, below a folder."""
    if path.is_file():
        return sha256(path.read_bytes()).hexdigest()
    digest = sha256()
    for file in sorted(file for pattern in ("*.toml", "*.csv", *_SOURCES) for file in path.rglob(pattern)):
        digest.update(f"{file.relative_to(path).as_posix()}\0".encode())
        digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _read(path: Path, model: type[Model], faults: list[str]) -> Model | None:
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        faults.append(f"{path.name}: is not there")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        faults.append(f"{path.name}: can't be read: {exc}")
    except ValidationError as exc:
        faults += [
            f"{path.name}: {'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}"
            for item in exc.errors(include_url=False)
        ]
    return None


def _plan_faults(plan: Plan) -> Iterator[str]:
    yield from _twice("wave", plan.waves())
    yield from _twice("exclusion", (item.code for item in plan.exclusion))
    yield from _twice("segments.order", plan.segments.order)
    for place, wave in enumerate(plan.wave):
        where = f"{PLAN}: wave {wave.name}:"
        if wave.size is not None and wave.share is not None:
            yield f"{where} has both size and share; keep one"
        if wave.pilot and place:
            yield f"{where} a pilot can only be the first wave"
        if (
            wave.size is None
            and wave.share is None
            and place < len(plan.wave) - 1
            and not (wave.select or wave.segments)
        ):
            yield f"{where} takes everything that is left, so the waves after it would be empty"
        foreign = [segment for segment in wave.segments if segment not in plan.segments.order]
        if foreign:
            yield f"{where} segments {', '.join(foreign)} are not in segments.order"
        if wave.select:
            yield from _sql(where, wave.select, table="case_groups", column="group_id")
    for item in plan.exclusion:
        yield from _sql(f"{PLAN}: exclusion {item.code}:", item.select, table="case_groups", column="group_id")


def _policy_faults(plan: Plan, policy: Policy) -> Iterator[str]:
    yield from (fault.replace(PLAN, POLICY) for fault in _twice("gate", (gate.name for gate in policy.gate)))
    for gate in policy.gate:
        where = f"{POLICY}: gate {gate.name}:"
        if (gate.measure is None) is (gate.select is None):
            yield f"{where} needs either measure or select"
        if gate.measure is not None and gate.measure not in MEASURES:
            yield f"{where} there is no measure {gate.measure}; there are {', '.join(sorted(MEASURES))}"
        if gate.select:
            yield from _sql(where, gate.select, table="wave_groups", column=None)
        for wave in sorted(set(gate.waves) - set(plan.waves())):
            yield f"{where} there is no wave {wave}"


def _sql(where: str, text: str, *, table: str, column: str | None) -> Iterator[str]:
    yield from (f"{where} select {fault}" for fault in selection.faults_of(text, table=table, column=column))


def _twice(what: str, names: Iterable[str]) -> Iterator[str]:
    yield from (f"{PLAN}: {what}: {name} stands there twice" for name, count in Counter(names).items() if count > 1)
