"""The read-only API as another service meets it."""

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from schemathesis.specs.openapi.checks import positive_data_acceptance

from integrationhub.sharing.openapi import document
from tests.contract.sharing.conftest import RECEIVED_FOR, Served

schema = schemathesis.openapi.from_dict(dict(document()))
DEBTS, ACCOUNTS = "SELECT count(*) FROM debts", "SELECT count(*) FROM accounts"
NINO = re.compile(r"QQ ?\d{2} ?\d{2} ?\d{2}")


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_asked_the_answer_is_as_described(case: schemathesis.Case[Any], served: Served) -> None:
    # A cursor is any text to the description, and few texts are ours: refusing one is right.
    excluded: list[Any] = [positive_data_acceptance] if "cursor" in (case.query or {}) else []
    case.call_and_validate(base_url=served.url, headers={"Authorization": "Bearer staff"}, excluded_checks=excluded)


def test_pages_lead_through_every_debt_once(served: Served) -> None:
    seen, address = [], "/v1/debts?limit=50"
    while address:
        page = served.get(address).json()
        seen += [item["debt_id"] for item in page["items"]]
        address = page["next"]
    with served.hub.store.read() as connection:
        held = [connection.exec_driver_sql(count).scalar_one() for count in (DEBTS, ACCOUNTS)]
    assert len(seen) == len(set(seen)) == sum(held)
    assert seen[-2:] == [RECEIVED_FOR, "UD0010000004"]


def test_a_list_can_be_narrowed(served: Served) -> None:
    chosen = served.debts("?limit=1000&source_system=CS2&status=ACTIVE")
    everything = served.debts()
    assert chosen == [item for item in everything if (item["source_system"], item["status"]) == ("CS2", "ACTIVE")]
    assert 0 < len(chosen) < len(everything)


def test_a_ledger_s_pages_add_up_to_the_balance_of_its_source(served: Served, debt_id: str) -> None:
    pence, address = 0, f"/v1/debts/{debt_id}/ledger?limit=2"
    while address:
        page = served.get(address).json()
        pence += sum(item["pence"] for item in page["items"])
        address = page["next"]
    balances = {item["kind"]: item["pence"] for item in served.get(f"/v1/debts/{debt_id}/balances").json()["items"]}
    assert pence == balances["SOURCE"]


def test_a_benefit_debt_is_what_its_source_says_less_what_came_in_since(served: Served) -> None:
    shown = served.get(f"/v1/debts/{RECEIVED_FOR}").json()
    assert (shown["ref"], shown["scheme"], shown["source_system"]) == (RECEIVED_FOR, "BENEFIT", "DEBT_MANAGER")
    balances = {
        item["kind"]: item["pence"] for item in served.get(f"/v1/debts/{RECEIVED_FOR}/balances").json()["items"]
    }
    assert balances == {"SOURCE": 10000, "CURRENT": 9000}
    first = served.get(f"/v1/debts/{RECEIVED_FOR}/ledger?limit=2").json()
    lines = first["items"] + served.get(first["next"]).json()["items"]
    assert [(line["kind"], line["pence"]) for line in lines] == [
        ("OPENING", 10000), ("RECEIPT", -1500), ("REVERSAL", 500),
    ]  # fmt: skip
    assert served.get(f"/v1/debts/{RECEIVED_FOR}/provenance/status").json()["mapping_id"] == "debt-manager/x"
    assert [item["debt_id"] for item in served.debts("?source_system=DEBT_MANAGER&limit=1")] == [RECEIVED_FOR]


def test_a_field_s_provenance_leads_to_the_kept_original(served: Served, debt_id: str) -> None:
    told = served.get(f"/v1/debts/{debt_id}/provenance/status").json()
    with served.hub.originals.open(told["sha256"]) as stream:
        stream.seek(told["byte_offset"])
        assert stream.read(1)
    assert (told["field"], told["source_system"] in ("CSCS", "CS2")) == ("status", True)
    assert told["mapping_id"].startswith("csa")


def test_nothing_personal_is_shared(served: Served) -> None:
    address = "/v1/debts?limit=1000"
    text = served.get(address).text
    assert not NINO.search(text)
    assert {item["ref"] for item in served.debts("?limit=1000&source_system=CS2")} == {None}
    assert None not in {item["ref"] for item in served.debts("?limit=1000&source_system=CSCS")}


def test_finance_sees_no_case_detail(served: Served, debt_id: str) -> None:
    shown = served.get(f"/v1/debts/{debt_id}", client="money").json()
    assert {"scheme", "host_system", "cause"}.isdisjoint(shown)
    assert {"scheme", "host_system", "cause"} <= served.get(f"/v1/debts/{debt_id}").json().keys()
    assert served.get(f"/v1/debts/{debt_id}/provenance/scheme", client="money").status_code == 404


def test_an_answer_that_the_client_has_is_not_sent_again(served: Served, debt_id: str) -> None:
    first = served.get(f"/v1/debts/{debt_id}")
    again = served.get(f"/v1/debts/{debt_id}", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = served.get(f"/v1/debts/{debt_id}", client="money", **{"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("client", [None, "", "Staff", "staff2"])
def test_without_a_valid_token_nobody_reads(served: Served, client: str | None) -> None:
    answer = served.get("/v1/debts", client=client)
    assert answer.status_code == 401
    assert answer.json()["title"] == "TOKEN_INVALID"
    assert "items" not in answer.text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/debts?source_sytem=CS2", 400, "PARAMETER_UNKNOWN"),
        ("/v1/debts?limit=1&limit=2", 400, "PARAMETER_UNKNOWN"),
        ("/v1/debts?limit=0", 400, "LIMIT_INVALID"),
        ("/v1/debts?limit=1001", 400, "LIMIT_INVALID"),
        ("/v1/debts?limit=%D9%A7", 400, "LIMIT_INVALID"),
        ("/v1/debts?cursor=x", 400, "CURSOR_INVALID"),
        ("/v1/debts?cursor=W10=", 400, "CURSOR_INVALID"),
        ("/v1/debts?status=%00", 400, "FILTER_INVALID"),
        ("/v1/debts/1", 404, "NOT_FOUND"),
        (f"/v1/debts/{'0' * 32}/ledger", 404, "NOT_FOUND"),
        ("/v2", 404, "HTTP"),
    ],
)
def test_a_mistake_is_answered_with_its_code_and_what_to_do(served: Served, path: str, status: int, code: str) -> None:
    answer = served.get(path)
    assert (answer.status_code, answer.json()["title"]) == (status, code)
    assert answer.json()["remedy"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_description_s_schemas_are_schemas() -> None:
    for described in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(described)
