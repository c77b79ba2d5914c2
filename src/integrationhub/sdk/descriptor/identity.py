"""[connector]: who a connector is."""

from typing import Annotated

from pydantic import Field

from integrationhub.sdk.part import Part


class Identity(Part):
    """[connector]: who this is."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: str
    source_system: str
    document: str
    mappings: str
    aliases: tuple[str, ...] = ()
