"""Who may act under which name."""

import os
import pwd

import pytest

from integrationhub.errors import NotAllowed
from integrationhub.identity import Actor, acting, system_user

TABLE = {"jsmith": ("J. Smith",), "ops": ("A. Clerk", "B. Clerk")}


def test_a_name_of_the_users_own_is_authenticated() -> None:
    assert acting("B. Clerk", TABLE, user="ops") == Actor(name="B. Clerk", authenticated=True)


def test_the_only_name_of_a_user_need_not_be_given() -> None:
    assert acting(None, TABLE, user="jsmith") == Actor(name="J. Smith", authenticated=True)


@pytest.mark.parametrize(("who", "user"), [("J. Smith", "ops"), (None, "ops"), ("J. Smith", "guest"), (None, "guest")])
def test_a_name_of_somebody_else_or_none_among_several_is_refused(who: str | None, user: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        acting(who, TABLE, user=user)
    assert (refused.value.code, refused.value.exit_code) == ("IDENTITY", 4)


def test_without_a_table_any_name_is_taken_and_marked() -> None:
    assert acting(" Anybody ", {}, user="guest") == Actor(name="Anybody", authenticated=False)
    assert acting(None, {}, user="guest") == Actor(name="guest", authenticated=False)


def test_the_user_is_that_of_the_process_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "jsmith-pretended")
    assert system_user() == pwd.getpwuid(os.getuid()).pw_name


def test_a_user_without_an_entry_is_known_by_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_123)
    assert system_user() == "4000000123"


def test_a_second_person_is_told_apart_by_more_than_spelling() -> None:
    actor = acting("J. Smith", TABLE, user="jsmith")
    assert actor.is_same_as("j. smith ")
    assert not actor.is_same_as("A. Clerk")
