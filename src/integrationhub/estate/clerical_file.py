"""One clerical workbook export: every case keyed twice, the keyings spread over the file, the trigger file last."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from integrationhub.estate.book import ClericalCase
from integrationhub.estate.clerical_cases import UNREADABLE_BALANCE
from integrationhub.estate.delivery import Delivery
from integrationhub.estate.dice import Dice
from integrationhub.estate.persons import Person
from integrationhub.estate.rules import OPEN

COLUMNS = (
    "Row", "Clerical Ref", "Key", "Keyed By", "Keyed On", "System Ref", "Scheme", "NRP NINO", "NRP Surname",
    "NRP Forenames", "NRP Born", "PWC NINO", "PWC Surname", "PWC Forenames", "PWC Born", "PWC Address Confidential",
    "Children", "Application Date", "Liability End", "Weekly Amount", "Charged RP", "Charged SoS", "Received RP",
    "Received SoS", "Balance RP", "Balance SoS", "Custodian Cash", "Last Payment", "Last Contact", "As At", "Notes",
)  # fmt: skip
ENCODING = "cp1252"
WAITING_ROWS = 400
"""So many rows wait before they are written in any order, so that the keyings of a case stand apart."""

CLERKS = 40
WRONG_TWICE = {"unreadable", UNREADABLE_BALANCE}
WRONG_ONCE = {"other field", "unreadable once"}
Row = dict[str, str]


@dataclass(slots=True, kw_only=True)
class Controls:
    """Rows, and the sums over first keyings, in pence (clerical.md §1)."""

    records: int = 0
    rp: int = 0
    sos: int = 0
    custodian: int = 0

    def as_dict(self) -> dict[str, object]:
        """In the shape of `control` in the samples' expected.json."""
        return {"rows": self.records, "rp": self.rp, "sos": self.sos, "custodian": self.custodian}


class ClericalWriter:
    """Writes an export case by case; leaving the block writes the trigger file, unless it failed."""

    def __init__(self, folder: Path, delivery: Delivery, seed: int) -> None:
        self.path = folder / delivery.clerical_name()
        self.trigger = self.path.with_suffix(".ctl")
        self.controls = Controls()
        self._delivery = delivery
        self._seed = seed
        self._order = Dice(seed, "order of rows", delivery.sequence)
        self._waiting: list[Row] = []
        self._digest = sha256()
        self._bytes = 0
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Self:
        self.trigger.unlink(missing_ok=True)  # a pair is complete only when its trigger is there
        self._stream = self.path.open("wb")
        self._put(COLUMNS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            while self._waiting:
                self._write_one()
        if self._stream:
            self._stream.close()
        if kind is None:
            self.trigger.write_text(self._said(), encoding="ascii")

    def write(self, case: ClericalCase) -> None:
        """Add a case."""
        keyings = Keyings(case, self._delivery, Dice(self._seed, "keying", case.number))
        for row, counted in keyings.rows():
            if row["Key"] == "1":
                for name, pence in zip(("rp", "sos", "custodian"), counted, strict=True):
                    setattr(self.controls, name, getattr(self.controls, name) + pence)
            self._waiting.append(row)
        while len(self._waiting) > WAITING_ROWS:
            self._write_one()

    def _write_one(self) -> None:
        place = self._order.below(len(self._waiting))
        self._waiting[place], self._waiting[-1] = self._waiting[-1], self._waiting[place]
        row = self._waiting.pop()
        self.controls.records += 1
        row["Row"] = str(self.controls.records)
        self._put([row[column] for column in COLUMNS])

    def _put(self, fields: "tuple[str, ...] | list[str]") -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerow(fields)
        data = text.getvalue().encode(ENCODING)
        self._digest.update(data)
        self._bytes += len(data)
        if self._stream:
            self._stream.write(data)

    def _said(self) -> str:
        controls = self.controls
        entries = {
            "FILE": self.path.name, "BYTES": self._bytes, "RECORDS": controls.records,
            "SHA256": self._digest.hexdigest(), "SEQUENCE": self._delivery.sequence,
            "ASAT": self._delivery.as_at.isoformat(), "BALANCE_RP": controls.rp, "BALANCE_SOS": controls.sos,
            "CUSTODIAN": controls.custodian,
        }  # fmt: skip
        return "".join(f"{key}={value}\n" for key, value in entries.items())


class Keyings:
    """The rows of one case as two clerks have keyed them, each in their own manner, or wrongly (§3)."""

    def __init__(self, case: ClericalCase, delivery: Delivery, dice: Dice) -> None:
        self._case = case
        self._delivery = delivery
        self._dice = dice

    def rows(self) -> Iterator[tuple[Row, tuple[int, int, int]]]:
        """Each row, with what it adds to the control sums if it is a first keying."""
        case, dice = self._case, self._dice
        first, second, third = dice.shuffled(range(1, CLERKS + 1))[:3]
        keys = [("1", first), ("2", second)]
        match case.keying:
            case "no first":
                keys = keys[1:]
            case "no second":
                keys = keys[:1]
            case "third row":
                keys.append(("2", third))
            case "second twice":
                keys = [("2", second), ("2", third)]
            case "same clerk":
                keys = [("1", first), ("2", first)]
        wrong = self._wrong_cell()
        for key, clerk in keys:
            row = self._row(key, clerk)
            if case.keying in {"unreadable", UNREADABLE_BALANCE} or (
                key == "2" and case.keying in {"other field", "unreadable once"}
            ):
                row |= wrong
            yield row, self._counted(row)

    def _counted(self, row: Row) -> tuple[int, int, int]:
        """The figures of a row; one that can't be read counts nothing."""
        case = self._case
        owed = case.balances()
        figures = {"Balance RP": owed[0] + case.off[0], "Balance SoS": owed[1] + case.off[1]}
        figures["Custodian Cash"] = case.custodian
        return tuple(0 if row[name] in UNREADABLE_MONEY else pence for name, pence in figures.items())  # type: ignore[return-value] # three of them

    def _wrong_cell(self) -> Row:
        dice, case = self._dice, self._case
        if case.keying == "other field":
            other = case.application + timedelta(dice.between(1, 40))
            return dice.pick(
                (
                    {"Application Date": self._date(other)},
                    {"Children": str(case.children % 9 + 1)},
                    {"Weekly Amount": self._money(case.weekly + 1)},
                    {"PWC Surname": f"{case.pwc.surname}s"},
                    {"PWC Address Confidential": "N" if case.pwc.confidential else "Y"},
                    {"Last Contact": self._date(date(2011, 5, 6))},
                )
            )
        if case.keying == UNREADABLE_BALANCE:
            return {"Balance RP": dice.pick(UNREADABLE_MONEY)}
        wrong: list[Row] = [
            {"Weekly Amount": dice.pick(("€12.00", "1204.5", "12,50", "twelve", "1.234,00"))},
            {"Children": dice.pick(("0", "10", "two", ""))},
            {"Scheme": dice.pick(("1995", "", "93"))},
            {"PWC Surname": ""},
            {"PWC Address Confidential": "?"},
        ]
        if "E06" not in case.exceptions:  # a date that can't be read is no sentinel any more
            wrong.append({"Application Date": dice.pick(("31/02/2003", "2003-02-01", "1/2/03", ""))})
        return dice.pick(wrong)

    def _row(self, key: str, clerk: int) -> Row:
        case = self._case
        owed = case.balances()
        money, day = self._money, self._date
        return {
            "Clerical Ref": case.ref, "Key": key, "Keyed By": f"CLK{clerk:03d}",
            "Keyed On": day(self._delivery.run_date), "System Ref": case.system_ref, "Scheme": case.scheme,
            **self._person("NRP", case.nrp), **self._person("PWC", case.pwc),
            "PWC Address Confidential": "Y" if case.pwc.confidential else "N", "Children": str(case.children),
            "Application Date": day(case.application),
            "Liability End": "" if case.liability_end == OPEN else day(case.liability_end),
            "Weekly Amount": money(case.weekly),
            "Charged RP": money(case.charged[0]), "Charged SoS": money(case.charged[1]),
            "Received RP": money(case.received[0]), "Received SoS": money(case.received[1]),
            "Balance RP": money(owed[0] + case.off[0]), "Balance SoS": money(owed[1] + case.off[1]),
            "Custodian Cash": money(case.custodian),
            "Last Payment": day(case.last_payment) if case.last_payment else "",
            "Last Contact": day(case.last_contact) if case.last_contact else "",
            "As At": day(self._delivery.as_at), "Notes": case.notes if key == "1" else self._dice.pick(("", "2nd")),
        }  # fmt: skip

    def _person(self, part: str, person: Person) -> Row:
        return {
            f"{part} NINO": self._number(person.nino.strip()), f"{part} Surname": self._name(person.surname),
            f"{part} Forenames": self._name(person.forenames), f"{part} Born": self._date(person.born),
        }  # fmt: skip

    def _number(self, number: str) -> str:
        spaced = f" {number[:2]} {number[2:4]} {number[4:6]} {number[6:8]} {number[8:]} "
        return self._dice.pick((number, number, number.lower(), spaced)) if number else ""

    def _name(self, name: str) -> str:
        wide = name.replace(" ", "  ")
        return self._dice.pick((name, name, name.upper(), f" {wide} "))

    def _date(self, day: date) -> str:
        return self._dice.pick((f"{day:%d/%m/%Y}", f"{day:%d/%m/%Y}", f"{day.day}/{day.month}/{day.year}"))

    def _money(self, pence: int) -> str:
        pounds, rest = divmod(abs(pence), 100)
        plain, grouped = f"{pounds}.{rest:02d}", f"£{pounds:,}.{rest:02d}"
        if pence < 0:
            return self._dice.pick((f"-{plain}", f"-{grouped}", f"({grouped})"))
        short = [str(pounds), f"£{pounds:,}"] if rest == 0 else []
        return self._dice.pick((plain, grouped, grouped, *short))


UNREADABLE_MONEY = ("€5.00", "500.5", "", "five")
