"""Advices of Bacs in XML (payments.md §2): unpaid direct debits, and what banks say of instructions, as rows.

The document is streamed; nothing of it is kept but the rows that wait to be handed on.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO

from integrationhub.decode.xml.stranger import (
    DEEPEST,
    SEPARATOR,
    XML_NAMESPACE,
    XML_SCHEMA,
    StrangerParser,
    XmlFault,
    encoding_in,
    whole_heads,
)
from integrationhub.records import Reason
from integrationhub.sdk.units import AT_ONCE, ControlFact

PIECE = 1 << 16
RETURNS, ADVICES = "BACS-RETURN", "BACS-ADVICE"
Row = dict[str, Any]

_ARUDD = "BACSDocument/Data/ARUDD"
_ACCOUNT = f"{_ARUDD}/Advice/OriginatingAccountRecords/OriginatingAccountRecord"
_ITEM = f"{_ACCOUNT}/ReturnedDebitItem"
_MESSAGING = "BACSDocument/Data/MessagingAdvices"
_NEEDED = {
    f"{_ARUDD}/Header": ("reportType", "adviceNumber", "currentProcessingDate"),
    f"{_ARUDD}/ServiceLicenseInformation": ("userNumber",),
    _ITEM: (
        "ref", "transCode", "returnCode", "returnDescription", "originalProcessingDate", "valueOf", "currency",
    ),
    f"{_ITEM}/PayerAccount": ("number", "ref", "name", "sortCode"),
    f"{_ACCOUNT}/Totals": ("numberOf", "valueOf", "currency"),
    f"{_MESSAGING}/MessagingHeader": (
        "user-number", "advice-type", "report-type", "report-generation-date", "envelope-sequence-number",
    ),
    f"{_MESSAGING}/MessagingAdvice": (
        "record-type", "reference", "reason-code", "effective-date", "payer-name", "payer-sort-code",
        "payer-account-number", "aosn",
    ),
}  # fmt: skip
"""Attributes that an element must have."""

_LOOSELY_NEEDED = {_ITEM: ("valueOf",), f"{_ACCOUNT}/Totals": ("numberOf", "valueOf")}
"""What the sums of any advice are made of, whoever it is for."""

_PARTS = {
    _ARUDD: ("Header", "ServiceLicenseInformation", "Advice"),
    f"{_ARUDD}/Advice": ("OriginatingAccountRecords",),
    _ACCOUNT: ("Totals",),
    _ITEM: ("PayerAccount",),
    _MESSAGING: ("MessagingHeader",),
}
"""Elements that an element must hold."""

_MONEY = re.compile(r"[0-9]{1,9}\.[0-9]{2}")
_ANY_MONEY = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(slots=True)
class _Account:
    """Items of one account record, counted."""

    count: int = 0
    pence: int = 0


@dataclass(slots=True)
class _Open:
    """An element that has not ended: its path and the names of what it holds."""

    path: str
    holds: set[str] = field(default_factory=set)


class AdviceReader:
    """Reads one advice. After `rows` has ended, `structure` and `control` have what is wrong with it.

    `users` are our service user numbers; None: whoever it is for (the public standard alone).
    """

    def __init__(self, *, name: str, users: Collection[str] | None) -> None:
        self._name = name
        self._users = users
        self._needed = _NEEDED if users is not None else _LOOSELY_NEEDED
        self._faults: dict[str, Reason] = {}
        self._path: list[_Open] = []
        self._rows: dict[str, list[Row]] = {RETURNS: [], ADVICES: []}
        self._account = _Account()
        self._header: dict[str, str] = {}
        self._messaging: dict[str, str] = {}
        self._parser = StrangerParser()
        self._parser.handle(self._start, self._end, lambda _: None)
        self.kinds: set[str] = set()
        self.items = 0
        self.returned_pence = 0
        self.controls: list[ControlFact] = []

    @property
    def advice(self) -> str | None:
        """The advice number of an ARUDD; None for the others, which have none."""
        return self._header.get("adviceNumber") if RETURNS in self.kinds else None

    @property
    def structure(self) -> Reason | None:
        """The first fault of form, in the order of benefits-common.md §6, then whether the advice is for us."""
        return next((self._faults[name] for name in ("document", *_ORDER) if name in self._faults), None)

    @property
    def control(self) -> Reason | None:
        """What is wrong with the totals."""
        return self._faults.get("CONTROL_TOTAL")

    def rows(self, stream: BinaryIO) -> Iterator[dict[str, list[Row]]]:
        """Rows by table, some thousand at a time."""
        try:
            head = True
            for piece in whole_heads(iter(lambda: stream.read(PIECE), b"")):
                if head:
                    encoding_in(piece)
                    head = False
                self._parser.feed(piece)
                if sum(map(len, self._rows.values())) >= AT_ONCE:
                    yield self._taken()
            self._parser.feed(b"", final=True)
        except XmlFault as fault:
            self._faults["document"] = Reason(code=fault.code, text=fault.text, offset=fault.offset)
        else:
            self._check_kind()
        yield self._taken()

    def _taken(self) -> dict[str, list[Row]]:
        rows, self._rows = self._rows, {RETURNS: [], ADVICES: []}
        return rows

    def _check_kind(self) -> None:
        if len(self.kinds) != 1:
            self._note(XML_SCHEMA, "Data must hold either ARUDD or MessagingAdvices")

    def _start(self, name: str, flat: list[str]) -> None:
        if len(self._path) >= DEEPEST:
            raise self._parser.too_deep()
        if not self._path and name != "BACSDocument":
            self._note(XML_NAMESPACE, "the root element is not BACSDocument without a namespace")
        local = name.rpartition(SEPARATOR)[2] if SEPARATOR in name else name
        if self._path:
            self._path[-1].holds.add(local)
        path = f"{self._path[-1].path}/{local}" if self._path else name
        self._path.append(_Open(path))
        if XML_NAMESPACE not in self._faults:
            self._element(path, dict(zip(flat[::2], flat[1::2], strict=True)))

    def _end(self, _name: str) -> None:
        ended = self._path.pop()
        if self._users is None:
            return
        for part in _PARTS.get(ended.path, ()):
            if part not in ended.holds:
                self._note(XML_SCHEMA, f"{ended.path.rpartition('/')[2]} holds no {part}")

    def _element(self, path: str, values: Mapping[str, str]) -> None:
        missing = [name for name in self._needed.get(path, ()) if name not in values]
        if missing:
            self._note(XML_SCHEMA, f"{path.rpartition('/')[2]} has no {missing[0]}", missing[0])
            return
        if path == _ARUDD:
            self.kinds.add(RETURNS)
        elif path == _MESSAGING:
            self.kinds.add(ADVICES)
        elif path == f"{_ARUDD}/Header":
            self._header = dict(values)
            self._day(values)
        elif path in {f"{_ARUDD}/ServiceLicenseInformation", f"{_MESSAGING}/MessagingHeader"}:
            self._addressee(path, values)
        elif path == _ACCOUNT:
            self._account = _Account()
        elif path == _ITEM:
            self._item(values)
        elif path == f"{_ACCOUNT}/Totals":
            self._totals(values)
        elif path == f"{_MESSAGING}/MessagingAdvice":
            self._message(values)

    def _addressee(self, path: str, values: Mapping[str, str]) -> None:
        if path.endswith("MessagingHeader"):
            self._messaging = dict(values)
        number = values.get("userNumber") or values.get("user-number")
        if self._users is not None and number not in self._users:
            self._note("WRONG_ADDRESSEE", "the advice is for another service user")

    def _item(self, values: Mapping[str, str]) -> None:
        self.items += 1
        amount = self._money(values)
        self._account.count += 1
        self._account.pence += amount or 0
        self.returned_pence += amount or 0
        on = self._header.get("currentProcessingDate", "")
        self._rows[RETURNS].append(
            {
                **self._place(f"{self._header.get('adviceNumber', '')}/{on}/{self.items}"),
                "REFERENCE": values.get("ref", "").strip(" "),
                "ORIGINAL-DATE": self._date("originalProcessingDate", values),
                "AMOUNT": amount,
                "CURRENCY": values.get("currency"),
                "RETURN-CODE": values.get("returnCode"),
                "CURRENT-DATE": ccyymmdd(on),
            }
        )

    def _message(self, values: Mapping[str, str]) -> None:
        self.items += 1
        self._rows[ADVICES].append(
            {
                **self._place(f"{self._name}/{self.items}"),
                "ADVICE-TYPE": self._messaging.get("advice-type"),
                "RECORD-TYPE": values.get("record-type"),
                "REFERENCE": values.get("reference"),
                "REASON-CODE": values.get("reason-code"),
                "EFFECTIVE-DATE": self._date("effective-date", values),
                "PAYER-NAME": values.get("payer-name"),
                "PAYER-SORT-CODE": values.get("payer-sort-code"),
                "PAYER-ACCOUNT": values.get("payer-account-number"),
                "NEW-SORT-CODE": values.get("payer-new-sort-code"),
                "NEW-ACCOUNT": values.get("payer-new-account-number"),
            }
        )

    def _place(self, key: str) -> Row:
        return {"_record": self.items, "_offset": self._parser.place, "KEY": key}

    def _totals(self, values: Mapping[str, str]) -> None:
        counted, self._account = self._account, _Account()
        said = values["numberOf"]
        number = int(said) if said.isascii() and said.isdigit() and len(said) < len(str(1 << 63)) else None
        value = self._money(values)
        self.controls += [
            ControlFact(name="returned count", expected=number, actual=counted.count),
            ControlFact(name="returned value", expected=value, actual=counted.pence),
        ]
        if (number, value) != (counted.count, counted.pence):
            self._note("CONTROL_TOTAL", "Totals says other than the returned items are")

    def _money(self, values: Mapping[str, str]) -> int | None:
        text = values["valueOf"]
        if (_MONEY if self._users is not None else _ANY_MONEY).fullmatch(text) is None:
            self._note(XML_SCHEMA, "valueOf is no amount in pounds", "valueOf")
            return None
        pounds, _, hundredths = text.partition(".")
        return int(pounds) * 100 + int(hundredths.ljust(2, "0"))

    def _date(self, name: str, values: Mapping[str, str]) -> int | None:
        number = ccyymmdd(values.get(name, ""))
        if number is None and self._users is not None:
            self._note(XML_SCHEMA, f"{name} is no date", name)
        return number

    def _day(self, values: Mapping[str, str]) -> None:
        """The day on which the money goes back must be one: all items hang on it."""
        try:
            date.fromisoformat(values.get("currentProcessingDate", ""))
        except ValueError:
            if self._users is not None:
                self._note(XML_SCHEMA, "currentProcessingDate is no date", "currentProcessingDate")

    def _note(self, code: str, text: str, name: str | None = None) -> None:
        reason = Reason(code=code, text=text, record=self.items or None, offset=self._parser.place, field=name)
        self._faults.setdefault(code, reason)


_ORDER = (XML_NAMESPACE, XML_SCHEMA, "WRONG_ADDRESSEE")


def ccyymmdd(text: str) -> int | None:
    """CCYY-MM-DD as a number, calendar date or not."""
    return int(text.replace("-", "")) if _DATE.fullmatch(text) else None
