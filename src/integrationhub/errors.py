"""The hub's errors, by what they make the caller do.

HubError
├── TransientError        a needed service is away or busy: try the same work again (exit 75)
├── RecordRejected        this record or message is unusable: quarantine it, with its reason code (exit 1)
├── FileRejected          this file is unusable as a whole: nothing of it is loaded, its feed stops (exit 7)
├── ConfigurationError    settings, copybook, mapping, plan or command line are wrong: refuse to start,
│                         and say every fault at once (exit 2)
├── NotFound              the thing named does not exist (exit 3)
├── NotAllowed            the caller may not do this (exit 4)
├── Conflict              somebody else is doing it already, or a step before it is missing (exit 5)
└── InvariantBroken       what is stored contradicts itself: stop the phase, touch nothing (exit 6)

An error's text says where (connector, file or message, record, byte offset, field name), the reason code and what to
do next. It never holds a field's value: texts end up in logs.
"""

from collections.abc import Sequence


class HubError(Exception):
    """Any failure the hub foresees; `exit_code` is what a command ends with when it is not handled."""

    exit_code = 1

    def __init__(self, text: str, *, code: str | None = None, remedy: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code or type(self).__name__
        self.remedy = remedy


class TransientError(HubError):
    """A service is away, locked or overloaded; the same work may succeed later."""

    exit_code = 75


class RecordRejected(HubError):
    """One record or message can't be used; `code` is the interface document's reason code."""


class FileRejected(HubError):
    """A whole file can't be used; `code` is the interface document's reason code."""

    exit_code = 7


class ConfigurationError(HubError):
    """Settings, descriptors, copybooks or specs are wrong; `faults` lists all of them."""

    exit_code = 2

    def __init__(
        self, text: str, *, faults: Sequence[str] = (), code: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(text, code=code, remedy=remedy)
        self.faults = tuple(faults) or (text,)


class NotFound(HubError):
    """A file, connector, reference or row that was named does not exist."""

    exit_code = 3


class NotAllowed(HubError):
    """The caller lacks the right, or would approve their own work."""

    exit_code = 4


class Conflict(HubError):
    """Another process holds the lock, or an earlier step is missing."""

    exit_code = 5


class InvariantBroken(HubError):
    """Stored state contradicts an invariant; nothing is changed until a person has looked."""

    exit_code = 6
