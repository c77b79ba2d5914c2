"""The feed over a book that no store stands behind."""

from collections.abc import Mapping
from typing import Any

import pytest

from integrationhub.accounts.book import Book
from integrationhub.accounts.unit import Verdict
from tests.feeds import uc
from tests.unit.accounts.conftest import EmptyShelf
from tests.unit.accounts.feeds.messages import Messages, said


class UniversalCredit:
    """Sends messages and says what becomes of them."""

    def __init__(self, messages: Messages) -> None:
        self.messages = messages
        self.book = Book(EmptyShelf())

    def take(self, body: Mapping[str, Any] | bytes) -> Verdict:
        return self.messages.take(body, self.book)

    def send(self, payload: Mapping[str, Any] | bytes, collection: str = "debt", **how: Any) -> Verdict:
        return self.take(uc.message(payload, collection, **how))

    def told(self, payload: Mapping[str, Any] | bytes, collection: str = "debt", **how: Any) -> str:
        return said(self.send(payload, collection, **how))


@pytest.fixture(scope="session")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Messages:
    return Messages("universal-credit", keys_file=uc.write_keys(tmp_path_factory.mktemp("keys")))


@pytest.fixture
def feed(messages: Messages) -> UniversalCredit:
    return UniversalCredit(messages)
