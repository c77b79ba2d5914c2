"""The page of settings, from the fields of `config.Settings`."""

from docs.generate.tables import document, table
from integrationhub.config import (
    FILE_NAME,
    SECRETS,
    TEST_PREFIX,
    ConnectorOverrides,
    QuarantineSettings,
    catalogue_of_settings,
)

INTRODUCTION = f"""\
From weakest to strongest: the default; `{FILE_NAME}` in the working directory, or the file named with `--config`; a
systemd credential; a secret file named by a variable; the variable; an option of the command (`--data-dir`,
`--log-level`, `--set NAME=VALUE`). An empty variable counts as not set, an unknown one is a fault. Relative paths count
from the folder of the file in which they stand, else from the working directory."""

SECRET = f"""\
## Secrets

A password may stand neither in `{FILE_NAME}` nor in an option. Settings that may hold one are read from the file that a
variable names, or from a systemd credential of the setting's name (`LoadCredential=`); `keys_file` may be a credential
too."""


def page() -> str:
    """Every setting with its variable, default and meaning."""
    infos = catalogue_of_settings()
    main = table(
        ("setting", "variable", "default", "meaning"),
        [
            (
                f"`{info.name}`",
                f"`{info.variable}`" if info.variable else "in the file only",
                _code(info.default),
                info.description,
            )
            for info in infos
        ],
    )
    secrets = table(
        ("setting", "variable that names its file", "credential"),
        [(f"`{name}`", f"`INTEGRATIONHUB_{name.upper()}_FILE`", f"`{name}`") for name in SECRETS],
    )
    overrides = table(
        ("key", "meaning"),
        [(f"`{name}`", info.description or "") for name, info in ConnectorOverrides.model_fields.items()],
    )
    quarantine = table(
        ("key", "default", "meaning"),
        [
            (f"`{name}`", f"`{str(info.default).lower()}`", info.description or "")
            for name, info in QuarantineSettings.model_fields.items()
        ],
    )
    return document(
        "# Settings",
        INTRODUCTION,
        main,
        SECRET,
        secrets,
        "## `[connectors.<name>]`",
        overrides,
        "## `[quarantine]`",
        quarantine,
        f"Variables that begin with `{TEST_PREFIX}` belong to the test suite and are no settings.",
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
