"""The API at work on a free port, over the sample books."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
import requests
import uvicorn

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Origin, Receipt, Reversal
from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.sharing.app import Api
from integrationhub.sharing.tokens import TokenBook, digest_of
from tests.contract.arrears.conftest import take_books
from tests.contract.suspense.test_desk import debt as benefit_debt

PATIENCE_SECONDS = 30.0
RECEIVED_FOR = "DM0010000017"


@dataclass(frozen=True, kw_only=True)
class Served:
    """The API's address, and how a client asks."""

    url: str
    hub: Hub

    def get(self, path: str, *, client: str | None = "staff", **headers: str) -> requests.Response:
        given = headers if client is None else {"Authorization": f"Bearer {client}", **headers}
        return requests.get(self.url + path, headers=given, timeout=PATIENCE_SECONDS)

    def debts(self, query: str = "?limit=1000") -> list[Mapping[str, object]]:
        items: list[Mapping[str, object]] = self.get(f"/v1/debts{query}").json()["items"]
        return items


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("sharing")
    keys = folder / "keys.json"
    clients = {"staff": "internal", "money": "finance"}
    entries = {name: {"sha256": digest_of(name), "audience": audience} for name, audience in clients.items()}
    keys.write_text(json.dumps({"api_tokens": entries}))
    settings = Settings(data_dir=folder / "data", synthetic_identities=True, keys_file=keys)
    with Hub(settings, Catalogue.standard(), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as hub:
        take_books(hub, "csa1993", "csa2003")
        _put_benefit_debts(hub)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            server = _server(Api(store=hub.store, tokens=TokenBook.of_file(keys)))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [free]})
            thread.start()
            yield Served(url=_when_started(server, free), hub=hub)
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)


def _put_benefit_debts(hub: Hub) -> None:
    """Two debts, one of them with money that came in, and a part of it that went back."""
    with hub.store.begin() as work:
        (file,) = work.deliveries.all_accepted("csa1993")
        at = datetime(2026, 3, 5, tzinfo=UTC)
        book = Book(work.accounts.shelf())
        book.judging(Origin(delivery_id=file.delivery_id, record=2, offset=0, mapping_id="debt-manager/x", at=at))
        for ref in (RECEIVED_FOR, "UD0010000004"):
            book.put(benefit_debt(ref))
        day = date(2026, 3, 4)
        posted = book.post(Receipt(source="BANK", key="1", amount_pence=1500, value_date=day, debt_ref=RECEIVED_FOR))
        book.reverse(Reversal(source="BANK", key="2", receipt=posted, amount_pence=-500, value_date=day, reason="R"))
        book.post(Receipt(source="BANK", key="3", amount_pence=99, value_date=date(2026, 3, 1), debt_ref=RECEIVED_FOR))
        work.accounts.flush(book.changes)
        work.commit()


def _server(api: Api) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(api.app(), log_level="warning", access_log=False))


def _when_started(server: uvicorn.Server, listening: socket.socket) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not server.started:
        assert time.monotonic() < deadline, "the API does not start"
        time.sleep(0.01)
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(scope="session")
def debt_id(served: Served) -> str:
    """A debt that has ledger entries."""
    longest = "SELECT debt_id FROM ledger WHERE debt_id IS NOT NULL GROUP BY debt_id ORDER BY count(*) DESC LIMIT 1"
    with served.hub.store.read() as connection:
        return str(connection.exec_driver_sql(longest).scalar_one()).replace("-", "")
