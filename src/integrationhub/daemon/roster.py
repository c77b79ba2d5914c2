"""Which connectors the daemon works for, and with which mappings; read anew when somebody asks for it (SIGHUP)."""

import threading
from collections.abc import Mapping, Sequence

from integrationhub.bootstrap import Hub
from integrationhub.errors import ConfigurationError, HubError
from integrationhub.intake.messages.signatures import KEYS_MISSING
from integrationhub.pipeline import Pipeline
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.telemetry import logger


class Roster:
    """The pipelines by connector. `names` are the connectors wanted; without names all that are not disabled."""

    def __init__(self, hub: Hub, names: Sequence[str]) -> None:
        self._hub = hub
        self._names = names
        self._asked = threading.Event()
        self._pipelines, self._answers = self._read()

    @property
    def pipelines(self) -> Mapping[str, Pipeline]:
        """As last read in good order."""
        return self._pipelines

    @property
    def answers(self) -> Sequence[Pipeline]:
        """What takes the answers of source systems, for the connectors that have any; as last read in good order."""
        return self._answers

    def named(self, name: str) -> Pipeline | None:
        """The pipeline of a connector by its name or an alias; None when the daemon doesn't work for it."""
        found = (item for item in self._pipelines.values() if name in (item.descriptor.name, *item.descriptor.aliases))
        return next(found, None)

    @property
    def with_messages(self) -> Mapping[str, Descriptor]:
        """The connectors that take messages from a queue."""
        found = {name: pipeline.descriptor for name, pipeline in self._pipelines.items()}
        return {name: descriptor for name, descriptor in found.items() if descriptor.messages is not None}

    def ask(self) -> None:
        """Read anew before the next piece of work; a signal handler may call this."""
        self._asked.set()

    def is_asked(self) -> bool:
        """Whether somebody wants connectors read anew."""
        return self._asked.is_set()

    def reread_if_asked(self) -> bool:
        """Read connectors and mappings anew, and say so; where they are faulty, those of before go on."""
        if not self._asked.is_set():
            return False
        self._asked.clear()
        try:
            self._hub.reread()
            self._pipelines, self._answers = self._read()
        except HubError as exc:
            logger().error("reread", reason=exc.code, error=type(exc).__name__, outcome="FAILED")
            return False
        logger().info("reread", outcome="DONE")
        return True

    def _read(self) -> tuple[Mapping[str, Pipeline], Sequence[Pipeline]]:
        catalogue, overrides = self._hub.catalogue, self._hub.settings.connectors
        enabled = (name for name in catalogue.names() if name not in overrides or overrides[name].enabled)
        wanted = self._names or [name for name in enabled if not self._lacks_keys(name)]
        pipelines = [self._hub.pipeline(name) for name in wanted]
        answers = [found for name in wanted if (found := self._hub.answers(name)) is not None]
        return {pipeline.descriptor.name: pipeline for pipeline in pipelines}, answers

    def _lacks_keys(self, name: str) -> bool:
        """Whether its messages can't be read without keys that nobody has given: nobody expects any, then."""
        if self._hub.catalogue.connector(name).messages is None:
            return False
        try:
            self._hub.taker(name)
        except ConfigurationError as exc:
            if exc.code != KEYS_MISSING:
                raise
            logger().info("intake", connector=name, reason=exc.code, outcome="LEFT_OUT")
            return True
        return False
