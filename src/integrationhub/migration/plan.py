"""A migration plan as its files state it: which case groups move, in which order and waves, by which rules.

`plan.toml` says what moves, `policy.toml` by which rules. Only the shape is checked here; `migration.checking` looks
for what a single value can't show.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from integrationhub.arrears.standing import ARREARS_ONLY, CLOSED, SEGMENTS

Scheme = Literal["1993", "2003", "CLERICAL"]
"""What a case counts as: its scheme, or CLERICAL where it is kept off-system."""

Segment = Literal["1", "2", "3", "4", "5", "ARREARS_ONLY", "CLOSED"]
ALL_SEGMENTS = (*SEGMENTS, ARREARS_ONLY, CLOSED)

_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$")]
_Words = Annotated[str, Field(min_length=3)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(_Part):
    """[plan]: `changed_by` is who last changed plan or policy; that person can't approve what was rehearsed with it."""

    title: _Words
    version: Annotated[int, Field(ge=1)]
    phase: _Name
    changed_by: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
    schemes: Annotated[tuple[Scheme, ...], Field(min_length=1)]
    connectors: Annotated[tuple[_Name, ...], Field(min_length=1)]
    target: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}$")] = "CMS"


class Segments(_Part):
    """[segments]: those that the plan moves, first to last. Groups of other segments are excluded."""

    order: Annotated[tuple[Segment, ...], Field(min_length=1)]


class Exclusion(_Part):
    """[[exclusion]]: case groups that stay where they are. `select` gives their group_id."""

    code: _Code
    reason: _Words
    select: _Words


class Wave(_Part):
    """[[wave]]: `size` case groups at most, or `share` of those the plan can move; neither: all that are left.

    `segments` and `select` narrow the choice. A pilot is drawn evenly over all it may take, another wave takes segment
    after segment.
    """

    name: _Name
    size: Annotated[int, Field(ge=1)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    pilot: bool = False
    segments: tuple[Segment, ...] = ()
    select: str | None = None


class Plan(_Part):
    """plan.toml."""

    plan: Head
    segments: Segments
    wave: Annotated[tuple[Wave, ...], Field(min_length=1)]
    exclusion: tuple[Exclusion, ...] = ()

    def waves(self) -> tuple[str, ...]:
        """The waves' names in their order."""
        return tuple(wave.name for wave in self.wave)


class Stage(StrEnum):
    """When a gate must hold: before a wave moves, or before it is signed off."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"


Comparison = Literal["<=", "<", ">=", ">", "=="]


class Gate(_Part):
    """[[gate]]: `measure` is one of the named ones, or `select` gives one number. `waves` empty: all of them.

    `may_override`: who may let a wave pass although the gate does not hold; nobody when it is empty, anybody allowed to
    act where it says `*`. It takes a second person and a reason in any case.
    """

    name: _Name
    stage: Stage
    measure: _Name | None = None
    select: str | None = None
    compare: Comparison
    threshold: float
    waves: tuple[_Name, ...] = ()
    may_override: tuple[str, ...] = ()


class Clocks(_Part):
    """[clocks]: what must have passed before a group may move. The dates follow from the arrears thresholds.

    NONE: the group may move while its notice runs. NOTICE: the closure notice was printed. LIABILITY_END: the liability
    has ended. Groups that get no notice (ARREARS_ONLY, CLOSED) wait for nothing.
    """

    waits_for: Literal["NONE", "NOTICE", "LIABILITY_END"] = "NONE"


class Tolerances(_Part):
    """[tolerances]: how far figures may be apart. Nought pence: whatever differs is itemised and decided by people."""

    pence: Annotated[int, Field(ge=0, le=0)] = 0


class WriteOff(_Part):
    """[write_off]: the class is handed over as a label; nothing is ever written off by moving.

    `waits_for_representations`: a group moves only when everybody who is to be heard before a write-off has been asked,
    and has answered or let the days pass. What they answer decides nothing here.
    """

    hand_over_as_label: Literal[True] = True
    waits_for_representations: bool = False


class Throttle(_Part):
    """[throttle]: how hard the live run may press. `groups_per_second` 0: as fast as the store allows."""

    groups_per_second: Annotated[float, Field(ge=0)] = 0
    groups_per_transaction: Annotated[int, Field(ge=1, le=1000)] = 50
    workers: Annotated[int, Field(ge=1, le=64)] = 1


class References(_Part):
    """[references]: target case references are this prefix and nine digits, counted on from `first`."""

    prefix: Annotated[str, Field(pattern=r"^121$")] = "121"
    first: Annotated[int, Field(ge=1, le=999_999_999)] = 1


class Policy(_Part):
    """policy.toml."""

    clocks: Clocks = Clocks()
    tolerances: Tolerances = Tolerances()
    write_off: WriteOff = WriteOff()
    throttle: Throttle = Throttle()
    references: References = References()
    gate: Annotated[tuple[Gate, ...], Field(min_length=1)]
