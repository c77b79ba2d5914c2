"""The API itself: routes, pages, entity tags, and an answer for every mistake (RFC 9457 problem details)."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrationhub.errors import HubError, TransientError
from integrationhub.sharing import openapi
from integrationhub.sharing.resources import BALANCE, DEBT, DEBT_ID, ENTRY, PROVENANCE, seen_by, shareable
from integrationhub.sharing.tokens import Client, TokenBook
from integrationhub.store import sharing as reading
from integrationhub.store import sharing_accounts as accounts
from integrationhub.store.unit_of_work import Reading, Store

PAGE, LARGEST_PAGE = 100, 1000

Answer = Mapping[str, Any]


class Problem(Exception):
    """A request that can't be answered: status, stable code, what is wrong, what to do."""

    def __init__(self, status: int, code: str, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.remedy = status, code, detail, remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Answers requests from the store."""

    store: Store
    tokens: TokenBook

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/openapi.json", self._open(lambda _request: openapi.document())),
            Route("/v1/debts", self._for_clients(self._debts, *reading.FILTERS, "limit", "cursor")),
            Route("/v1/debts/{debt_id}", self._for_clients(self._debt)),
            Route("/v1/debts/{debt_id}/balances", self._for_clients(self._balances)),
            Route("/v1/debts/{debt_id}/ledger", self._for_clients(self._ledger, "limit", "cursor")),
            Route("/v1/debts/{debt_id}/provenance/{field}", self._for_clients(self._provenance)),
        ]
        handlers: dict[Any, Any] = {Problem: _on_problem, HTTPException: _on_http, HubError: _on_hub_error}
        return Starlette(routes=routes, exception_handlers=handlers)

    def _open(self, make: Callable[[Request], Answer]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return _tagged(request, await run_in_threadpool(make, request))

        return answer

    def _for_clients(
        self, make: Callable[[Request, Client], Answer], *parameters: str
    ) -> Callable[[Request], Awaitable[Response]]:
        def identified(request: Request) -> Answer:
            client = self.tokens.client(request.headers.get("authorization"))
            if client is None:
                text = "the request bears no valid token"
                raise Problem(401, "TOKEN_INVALID", text, "send Authorization: Bearer and the token you were given")
            _require_known(request, parameters)
            return make(request, client)

        return self._open(identified)

    def _debts(self, request: Request, client: Client) -> Answer:
        limit = _limit(request)
        where = {name: _text(request, name) for name in reading.FILTERS if name in request.query_params}
        key = _cursor(request, 1)
        after = None if key is None else _identifier(key[0])
        with self.store.read() as connection:
            rows = _debts_behind(connection, after, limit + 1, where)
        shown = [_debt_of(row, client) for row in rows[:limit]]
        last = [shown[-1]["debt_id"]] if len(rows) > limit else None
        return _page(request, shown, last)

    def _debt(self, request: Request, client: Client) -> Answer:
        debt_id = _identifier(request.path_params["debt_id"])
        with self.store.read() as connection:
            row = _book_of(debt_id).debt(connection, debt_id)
        return _debt_of(_found(row), client)

    def _balances(self, request: Request, client: Client) -> Answer:
        debt_id = _identifier(request.path_params["debt_id"])
        with self.store.read() as connection:
            _found(_book_of(debt_id).debt(connection, debt_id))
            rows = _book_of(debt_id).balances(connection, debt_id)
        return {"items": [seen_by(client.audience, BALANCE, row) for row in rows]}

    def _ledger(self, request: Request, client: Client) -> Answer:
        debt_id, limit = _identifier(request.path_params["debt_id"]), _limit(request)
        key = _cursor(request, 2)
        after = None if key is None else (_number(key[0]), _identifier(key[1]))
        with self.store.read() as connection:
            _found(_book_of(debt_id).debt(connection, debt_id))
            rows = _book_of(debt_id).entries(connection, debt_id, after=after, limit=limit + 1)
        shown = [seen_by(client.audience, ENTRY, row) for row in rows[:limit]]
        last = [str(shown[-1]["line_no"]), shown[-1]["entry_id"]] if len(rows) > limit else None
        return _page(request, shown, last)

    def _provenance(self, request: Request, client: Client) -> Answer:
        debt_id, field = _identifier(request.path_params["debt_id"]), request.path_params["field"]
        with self.store.read() as connection:
            place = _book_of(debt_id).place_of(connection, debt_id)
        attribute = DEBT.get(field)
        if place is None or attribute is None or client.audience not in attribute.audiences:
            raise _missing()
        told = {name: getattr(place, name) for name in PROVENANCE if name != "field"}
        return seen_by(client.audience, PROVENANCE, {"field": field, **told, "file": shareable(place.file)})


def _is_account(debt_id: str) -> bool:
    return debt_id[0].isupper()


def _book_of(debt_id: str) -> ModuleType:
    """Where the debt is read: benefit debts have tables of their own."""
    return accounts if _is_account(debt_id) else reading


def _debts_behind(
    connection: Reading, after: str | None, limit: int, where: Mapping[str, str]
) -> list[Mapping[str, Any]]:
    """A page of debts: child maintenance by identifier, then benefit debts by reference."""
    found: list[Mapping[str, Any]] = []
    if after is None or not _is_account(after):
        found = reading.debts(connection, after=after, limit=limit, where=where)
        after = None
    return found + accounts.debts(connection, after=after, limit=limit - len(found), where=where)


def _debt_of(row: Mapping[str, Any], client: Client) -> dict[str, Any]:
    return seen_by(client.audience, DEBT, {**row, "ref": shareable(row["source_ref"])})


def _found(row: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if row is None:
        raise _missing()
    return row


def _missing() -> Problem:
    return Problem(404, "NOT_FOUND", "there is nothing under this address", "see /openapi.json for what there is")


def _identifier(text: str) -> str:
    if not re.fullmatch(DEBT_ID, text):
        raise _missing()
    return text


def _number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise _bad_cursor()
    return int(text)


def _require_known(request: Request, names: Sequence[str]) -> None:
    """A misspelt filter must not pass for a list of everything."""
    given = [name for name, _ in request.query_params.multi_items()]
    if len(set(given)) < len(given) or not set(given) <= set(names):
        allowed = ", ".join(names) or "none"
        raise Problem(
            400, "PARAMETER_UNKNOWN", "a query parameter is unknown, or there twice", f"parameters here: {allowed}"
        )


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", str(PAGE))
    if not re.fullmatch("[0-9]{1,4}", given) or not 1 <= int(given) <= LARGEST_PAGE:
        raise Problem(400, "LIMIT_INVALID", "limit is no number of rows", f"give limit from 1 to {LARGEST_PAGE}")
    return int(given)


def _text(request: Request, name: str) -> str:
    value: str = request.query_params[name]
    if not re.fullmatch(openapi.CODE, value):
        raise Problem(400, "FILTER_INVALID", f"{name} is no code", "see /openapi.json for the codes")
    return value


def _cursor(request: Request, parts: int) -> list[str] | None:
    """The key behind which the page begins."""
    given = request.query_params.get("cursor")
    if given is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(given.encode("ascii")))
    except (ValueError, binascii.Error, RecursionError):
        raise _bad_cursor() from None
    if not isinstance(key, list) or len(key) != parts or not all(isinstance(part, str) for part in key):
        raise _bad_cursor()
    return key


def _bad_cursor() -> Problem:
    return Problem(400, "CURSOR_INVALID", "the cursor is none of ours", "take it from `next` of the page before")


def _page(request: Request, items: Sequence[Answer], last: Sequence[str] | None) -> Answer:
    """A page; `next` leads to the one behind it, null on the last."""
    if last is None:
        return {"items": items, "next": None}
    cursor = base64.urlsafe_b64encode(json.dumps(last).encode()).decode()
    query = {**request.query_params, "cursor": cursor}
    return {"items": items, "next": f"{request.url.path}?{urlencode(query)}"}


def _tagged(request: Request, answer: Answer) -> Response:
    """The answer with its entity tag; 304 without body where the client has this very answer."""
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    given = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if tag in given or "*" in given:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _problem(status: int, code: str, detail: str, remedy: str) -> Response:
    body = {"type": "about:blank", "status": status, "title": code, "detail": detail, "remedy": remedy}
    headers = {"WWW-Authenticate": 'Bearer realm="integrationhub"'} if status == 401 else {}  # noqa: PLR2004 - HTTP
    content = json.dumps(body, ensure_ascii=False).encode()
    return Response(content, status_code=status, media_type="application/problem+json", headers=headers)


def _on_problem(_request: Request, exc: Problem) -> Response:
    return _problem(exc.status, exc.code, exc.detail, exc.remedy)


def _on_http(_request: Request, exc: HTTPException) -> Response:
    answer = _problem(exc.status_code, "HTTP", exc.detail, "see /openapi.json for what there is")
    answer.headers.update(exc.headers or {})
    return answer


def _on_hub_error(_request: Request, exc: HubError) -> Response:
    away = isinstance(exc, TransientError)
    return _problem(503 if away else 500, exc.code, "the store can't answer now", "try again later")
