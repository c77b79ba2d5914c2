"""Settings: where they come from, which one counts, and every fault at once.

From weakest to strongest: the default, `integrationhub.toml`, a systemd credential, a secret file named by
`INTEGRATIONHUB_<SETTING>_FILE`, the variable `INTEGRATIONHUB_<SETTING>`, an option of the command. Each effective value
remembers which of them it came from. A password may stand neither in the TOML file nor in an option: files are copied
and process arguments are public on the machine.

Relative paths count from the folder of the file in which they stand, else from the working directory.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from integrationhub.errors import ConfigurationError, NotFound

FILE_NAME = "integrationhub.toml"
PREFIX = "INTEGRATIONHUB_"
TEST_PREFIX = "INTEGRATIONHUB_TEST_"
"""Variables of the test suite; no settings."""
SECRETS = ("database_url", "broker_url")
"""Settings whose value may hold a password: shown masked, and readable from a file or credential of their own."""
FILE_ONLY = ("connectors", "identity", "quarantine")
"""Settings that are tables: they stand in the TOML file only."""
PATHS = ("data_dir", "keys_file", "catalogue_folders")

_MIB = 1024 * 1024
_URL_PASSWORD = re.compile(r"(://[^:/?#@]*):.*@")  # greedy: a password may hold any of / ? # @
_QUERY_PASSWORD = re.compile(r"([?&][a-z_]*(?:password|passwd|secret)[a-z_]*=)[^&]*", re.IGNORECASE)


def mask(url: str) -> str:
    """The URL with any password, in the user part or in the query, shown as `***`."""
    return _QUERY_PASSWORD.sub(r"\1***", _URL_PASSWORD.sub(r"\1:***@", url))


def _database_url(url: str) -> str:
    if not re.match(r"sqlite:///|postgresql(\+psycopg)?://", url):
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
    return url


def _broker_url(url: str) -> str:
    if url != "embedded" and not re.match(r"amqps?://[^/]", url):
        raise ValueError("must be `embedded`, or begin with amqp:// or amqps:// and name a host")
    return url


class ConnectorOverrides(BaseModel):
    """[connectors.<name>]: what this installation does otherwise than the connector's descriptor."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=True, description="false: the daemon leaves this connector alone")
    inbox: Path | None = Field(default=None, description="the folder watched in place of <data>/inbox/<connector>")


class QuarantineSettings(BaseModel):
    """[quarantine]: how the quarantine is worked here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    second_person: bool = Field(
        default=False, description="true: correct, resubmit and discard wait until somebody else approves them"
    )
    resubmit_limit: Annotated[int, Field(ge=1, le=100)] = Field(
        default=5, description="how often one version of an item may be resubmitted in vain"
    )


class Settings(BaseModel):
    """Every setting of the hub, checked. Made by `load`; the descriptions are the reference documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")] = Field(
        default="local", description="name of this installation; part of the source of every published event"
    )
    data_dir: Path = Field(
        default=Path("hub-data"), description="the data directory: inbox, outgoing, kept originals, embedded store"
    )
    database_url: Annotated[str, AfterValidator(_database_url)] | None = Field(
        default=None,
        repr=False,
        description="the store, as a SQLAlchemy URL (sqlite:///… or postgresql+psycopg://…); unset: SQLite in the data "
        "directory",
    )
    broker_url: Annotated[str, AfterValidator(_broker_url)] = Field(
        default="embedded", repr=False, description="RabbitMQ (amqp://… or amqps://…), or `embedded`: in the store"
    )
    http_port: Annotated[int, Field(ge=1, le=65535)] = Field(default=8087, description="HTTP port of the daemon")
    keys_file: Path | None = Field(default=None, description="keys of encrypted and signed feeds, a JSON file")
    synthetic_identities: bool = Field(
        default=False, description="true: National Insurance numbers with the test prefix QQ count as usable"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="the least important log lines that are written: DEBUG, INFO, WARNING or ERROR"
    )
    originals_uri: str | None = Field(
        default=None,
        description="where originals are kept by their SHA-256, a folder or an fsspec URI; unset: <data>/originals",
    )
    slice_bytes: Annotated[int, Field(ge=4096, le=1024 * _MIB)] = Field(
        default=8 * _MIB, description="bytes of a big file that are decoded, mapped and committed together"
    )
    drain_seconds: Annotated[int, Field(ge=1, le=86400)] = Field(
        default=30, description="seconds that the daemon may take to finish what is in hand when it is told to stop"
    )
    uncompressed_limit: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="bytes that may come out of a compressed file; unset: what its connector says (csa2003: 1 GiB)",
    )
    judging_processes: Annotated[int, Field(ge=0, le=256)] = Field(
        default=0, description="processes that judge cases where many wait; 0: as many as the machine has cores"
    )
    catalogue_folders: tuple[Path, ...] = Field(
        default=(), description="further folders that hold connectors/, mappings/ or migration/"
    )
    connectors: dict[str, ConnectorOverrides] = Field(
        default_factory=dict, description="per connector: `enabled`, `inbox`"
    )
    identity: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="operating-system user = the names that this user may give with --as"
    )
    quarantine: QuarantineSettings = Field(
        default_factory=QuarantineSettings, description="`second_person`, `resubmit_limit`"
    )

    @property
    def store_url(self) -> str:
        """The store's SQLAlchemy URL, the embedded default included; may hold a password."""
        return self.database_url or f"sqlite:///{self.data_dir / 'hub.sqlite3'}"

    @property
    def originals(self) -> str:
        """Where originals are kept: a folder or an fsspec URI."""
        return self.originals_uri or str(self.data_dir / "originals")

    def inbox(self, connector: str) -> Path:
        """The folder in which files for `connector` are dropped."""
        overrides = self.connectors.get(connector, ConnectorOverrides())
        return overrides.inbox or self.data_dir / "inbox" / connector

    def outgoing(self, system: str) -> Path:
        """The folder in which files for `system` are handed out."""
        return self.data_dir / "outgoing" / system


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInfo:
    """One setting as documentation shows it. `variable` is None for the tables, which stand in the file only."""

    name: str
    variable: str | None
    default: str
    description: str
    secret: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The settings that count, and where each came from. `file` is the TOML file read, if there was one."""

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None = None

    def shown(self) -> Iterator[tuple[str, object, str]]:
        """Name, effective value and origin of every setting, secrets masked, values ready for JSON."""
        effective = {"database_url": self.settings.store_url, "originals_uri": self.settings.originals}
        for name, value in (self.settings.model_dump(mode="json") | effective).items():
            visible = mask(value) if name in SECRETS and isinstance(value, str) else value
            yield name, visible, self.origins.get(name, "default")


@dataclass(slots=True)
class _Gathered:
    """Values of all layers, the stronger over the weaker, with their origins and what is wrong with them."""

    values: dict[str, object] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def put(self, name: str, value: object, origin: str) -> None:
        self.values[name] = value
        self.origins[name] = origin

    def blame(self, name: str, origin: str, text: str) -> None:
        self.faults.append(f"{name} ({origin}): {text}")


def load(
    *,
    options: Mapping[str, str] | None = None,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Effective:
    """The effective settings. ConfigurationError lists every fault; NotFound when `file` was named and is not there.

    Without `file`, `integrationhub.toml` in `directory` (default: the working directory) counts where it exists.
    `options` are settings by name, as text, from the command line.
    """
    environ = os.environ if environ is None else environ
    if file is not None and not file.is_file():
        raise NotFound(f"configuration file {file} does not exist", remedy="name an existing file with --config")
    found = file or (directory or Path()) / FILE_NAME
    source = found if found.is_file() else None
    gathered = _Gathered()
    if source:
        _read_file(source, gathered)
    _read_credentials(environ.get("CREDENTIALS_DIRECTORY"), gathered)
    _read_environment(environ, gathered)
    _read_options(options or {}, gathered)
    settings = _validate(gathered)
    return Effective(settings=settings, origins=gathered.origins, file=source)


def _validate(gathered: _Gathered) -> Settings:
    settings = None
    try:
        settings = Settings.model_validate(gathered.values)
    except ValidationError as exc:
        for fault in exc.errors(include_input=False, include_url=False):
            name = ".".join(map(str, fault["loc"]))
            origin = gathered.origins.get(str(fault["loc"][0]), "default")
            text = "no such setting" if fault["type"] == "extra_forbidden" else _plain(fault["msg"])
            gathered.blame(name, origin, text)
    if settings is None or gathered.faults:
        raise ConfigurationError(
            f"the configuration has {len(gathered.faults)} fault{'s' if len(gathered.faults) > 1 else ''}",
            faults=gathered.faults,
            code="CONFIGURATION",
            remedy="mend them all, then run: integrationhub config check",
        )
    return settings


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "must be")


def _read_file(path: Path, gathered: _Gathered) -> None:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        # The parser's text may quote the line; its position is enough to find the fault.
        gathered.faults.append(f"{path.name}: no valid TOML{_position(str(exc))}")
        return
    for name, value in content.items():
        if _unknown(name, path.name, gathered):
            continue
        if name in SECRETS and isinstance(value, str) and mask(value) != value:
            gathered.blame(name, path.name, f"a password may not stand in the file; use {PREFIX}{name.upper()}_FILE")
            continue
        gathered.put(name, _from_folder(name, value, path.parent), path.name)


def _position(text: str) -> str:
    match = re.search(r"\(at (line \d+, column \d+|end of document)\)", text)
    return f" at {match[1]}" if match else ""


def _from_folder(name: str, value: object, folder: Path) -> object:
    """Paths in the file made to count from its folder."""
    if name in PATHS and isinstance(value, list):
        return [_from_folder(name, item, folder) for item in value]
    if name in PATHS and isinstance(value, str):
        return folder / value
    if name == "originals_uri" and isinstance(value, str) and "://" not in value:
        return str(folder / value)
    if name == "connectors" and isinstance(value, dict):
        return {key: _override_from_folder(item, folder) for key, item in value.items()}
    return value


def _override_from_folder(item: object, folder: Path) -> object:
    if isinstance(item, dict) and isinstance(item.get("inbox"), str):
        return {**item, "inbox": folder / item["inbox"]}
    return item


def _read_credentials(directory: str | None, gathered: _Gathered) -> None:
    """What systemd hands over by `LoadCredential=database_url:…`: one file a setting, named like it."""
    if not directory:
        return
    for name in SECRETS:
        path = Path(directory) / name
        if path.is_file():
            _read_secret(name, path, f"credential {name}", gathered)
    keys = Path(directory) / "keys_file"
    if keys.is_file():
        gathered.put("keys_file", keys, "credential keys_file")


def _read_secret(name: str, path: Path, origin: str, gathered: _Gathered) -> None:
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        gathered.blame(name, origin, f"the file can't be read ({type(exc).__name__})")
        return
    if value:
        gathered.put(name, value, origin)
    else:
        gathered.blame(name, origin, "the file is empty")


def _read_environment(environ: Mapping[str, str], gathered: _Gathered) -> None:
    """Variables with the hub's prefix; an empty one counts as not set, an unknown one is a fault."""
    secret_files = {f"{PREFIX}{name.upper()}_FILE": name for name in SECRETS}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable.startswith(TEST_PREFIX) or not text:
            continue
        name = secret_files.get(variable)
        if name and environ.get(variable.removesuffix("_FILE")):
            gathered.blame(name, variable, f"both {variable} and {variable.removesuffix('_FILE')} are set; keep one")
        elif name:
            _read_secret(name, Path(text), variable, gathered)
        else:
            _read_variable(variable.removeprefix(PREFIX).lower(), text, variable, gathered)


def _read_variable(name: str, text: str, origin: str, gathered: _Gathered) -> None:
    if _unknown(name, origin, gathered):
        return
    if name in FILE_ONLY:
        gathered.blame(name, origin, f"this is a table: it stands in {FILE_NAME} only")
        return
    value: object = [part for part in text.split(os.pathsep) if part] if name == "catalogue_folders" else text
    gathered.put(name, value, origin)


def _read_options(options: Mapping[str, str], gathered: _Gathered) -> None:
    for name, text in options.items():
        if name in SECRETS and mask(text) != text:
            gathered.blame(name, "option", f"a password may not stand in an option; use {PREFIX}{name.upper()}_FILE")
        else:
            _read_variable(name, text, "option", gathered)


def _unknown(name: str, origin: str, gathered: _Gathered) -> bool:
    if name in Settings.model_fields:
        return False
    close = difflib.get_close_matches(name, Settings.model_fields, n=1)
    gathered.blame(name, origin, f"no such setting{f'; did you mean {close[0]}?' if close else ''}")
    return True


def catalogue_of_settings() -> tuple[SettingInfo, ...]:
    """Every setting, for the reference, the template and the tests of both."""
    return tuple(
        SettingInfo(
            name=name,
            variable=None if name in FILE_ONLY else PREFIX + name.upper(),
            default=_default_text(info.get_default(call_default_factory=True, validated_data={})),
            description=info.description or "",
            secret=name in SECRETS,
        )
        for name, info in Settings.model_fields.items()
    )


def _default_text(value: object) -> str:
    """A default as TOML writes it; empty where there is none."""
    if value is None or value in ((), {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f'"{value}"'


def template() -> str:
    """A configuration file in which everything is explained and nothing is set yet."""
    lines = [
        "# Settings of the integration hub. What is commented out shows its default.",
        f"# Each may also be set by an environment variable, {PREFIX}<SETTING>; passwords never stand here:",
        f"# {' and '.join(f'{PREFIX}{name.upper()}_FILE' for name in SECRETS)} name files that hold them.",
    ]
    for info in catalogue_of_settings():
        if info.variable:
            lines += ["", f"# {info.description}", f"# {info.name} = {info.default or _EXAMPLES[info.name]}"]
    lines += ["", "# What this installation does otherwise than a connector's descriptor.", "# [connectors.csa1993]"]
    for name, field_info in ConnectorOverrides.model_fields.items():
        lines.append(f"# {name} = {_default_text(field_info.default) or _EXAMPLES[name]}  # {field_info.description}")
    lines += ["", "# How the quarantine is worked.", "# [quarantine]"]
    for name, field_info in QuarantineSettings.model_fields.items():
        lines.append(f"# {name} = {_default_text(field_info.default)}  # {field_info.description}")
    lines += ["", "# Who may act as whom: operating-system user = names allowed with --as.", "# [identity]"]
    lines += ['# jsmith = ["J. Smith"]', ""]
    return "\n".join(lines)


_EXAMPLES = {
    "uncompressed_limit": "1073741824  # unset: the connector's own limit",
    "inbox": '"/srv/drop/csa1993"',
    "database_url": '"postgresql+psycopg://hub@db.example/hub"  # unset: SQLite in the data directory',
    "keys_file": '"keys.json"  # unset: none',
    "originals_uri": '"/srv/integrationhub/originals"  # unset: <data>/originals',
    "catalogue_folders": '["/srv/integrationhub"]  # unset: none',
}
