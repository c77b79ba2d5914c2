"""Who acts: the name given with `--as`, and whether the operating-system user may act under it.

`[identity]` in the configuration lists the names of each operating-system user. Where there is no such
table (embedded, demo), any name is taken and the actor is not authenticated, which all evidence says.
"""

import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from integrationhub.errors import NotAllowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person, or the hub itself, as evidence names them."""

    name: str
    authenticated: bool

    def is_same_as(self, name: str) -> bool:
        """Whether this is that person: for rules that ask for a second one."""
        return self.name.casefold().strip() == name.casefold().strip()


HUB = Actor(name="integrationhub", authenticated=True)
"""What the daemon does by itself."""


def system_user() -> str:
    """The user whose process this is. From the process itself: variables like LOGNAME are anybody's to set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def acting(who: str | None, identity: Mapping[str, Sequence[str]], *, user: str | None = None) -> Actor:
    """The actor for `--as WHO`; without it the user's only name. `user`: default, that of this process.

    NotAllowed: the user may not act under this name, or has several and gave none.
    """
    user = user or system_user()
    who = who.strip() if who else None
    if not identity:
        return Actor(name=who or user, authenticated=False)
    names = identity.get(user, ())
    if who is None and len(names) == 1:
        return Actor(name=names[0], authenticated=True)
    if who is None or who not in names:
        raise NotAllowed(
            f"operating-system user {user} may not act " + ("under that name" if who else "without giving a name"),
            code="IDENTITY",
            remedy=f"give one of their names with --as, or let [identity] of the configuration name {user}",
        )
    return Actor(name=who, authenticated=True)
