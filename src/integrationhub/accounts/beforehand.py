"""What is known before the first delivery: cases of child maintenance, people whose address is kept back, requests.

It stands in the book as notes.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from integrationhub.accounts.entries import Note

KNOWN, CASE, CONFIDENTIAL = "known-cases", "case", "confidential"
CIS, REQUEST = "cis", "request"
SETUP = "setup"
"""Stands for a mapping where something was known beforehand."""


def known_cases(cases: Iterable[Mapping[str, Any]]) -> Iterator[Note]:
    """Cases that receipts may be meant for: `case_ref`, `status` OPEN or CLOSED."""
    for case in cases:
        yield Note(feed=KNOWN, kind=CASE, key=case["case_ref"], value={"is_open": case["status"] != "CLOSED"})


def confidential(ninos: Iterable[str]) -> Iterator[Note]:
    """People who have a confidentiality marker in a case, by their numbers' first 8 characters."""
    for nino in ninos:
        yield Note(feed=KNOWN, kind=CONFIDENTIAL, key=nino[:8], value={})


def requests(asked: Iterable[Mapping[str, Any]]) -> Iterator[Note]:
    """Identity questions that wait for an answer: `requestId`, `debt_ref`, `asked_nino`."""
    for one in asked:
        value = {"debt_ref": one["debt_ref"], "asked_nino": one.get("asked_nino") or None}
        yield Note(feed=CIS, kind=REQUEST, key=one["requestId"], value=value, about=one["debt_ref"])
