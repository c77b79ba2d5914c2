"""What every table of a connector descriptor is built on."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as exc:
        raise ValueError(f"no regular expression: {exc}") from exc
    return text


Pattern = Annotated[str, AfterValidator(_is_pattern)]


class Part(BaseModel):
    """Base of every table in a descriptor: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")
