"""Clerical books made to order, with a trigger file that fits unless told otherwise."""

import csv
import hashlib
import io
import tomllib
from collections.abc import Sequence
from pathlib import Path

CONNECTOR = Path(__file__).parents[3] / "connectors" / "clerical"
SAMPLE = CONNECTOR / "samples" / "CLERICAL_20150701_101.csv"
COLUMNS: list[str] = tomllib.loads((CONNECTOR / "connector.toml").read_text(encoding="utf-8"))["layout"]["columns"]

PLAIN = {
    "Clerical Ref": "CL0000001", "Key": "1", "Keyed By": "CLK001", "Keyed On": "01/07/2015", "System Ref": "",
    "Scheme": "1993", "NRP NINO": "QQ000001A", "NRP Surname": "Testcase", "NRP Forenames": "Alpha",
    "NRP Born": "1/2/1960", "PWC NINO": "QQ000002A", "PWC Surname": "Proofley", "PWC Forenames": "Bravo",
    "PWC Born": "", "PWC Address Confidential": "N", "Children": "2", "Application Date": "01/02/1999",
    "Liability End": "", "Weekly Amount": "£20.00", "Charged RP": "£1,204.50", "Charged SoS": "0",
    "Received RP": "£204.50", "Received SoS": "0.00", "Balance RP": "1000", "Balance SoS": "0",
    "Custodian Cash": "£1.00", "Last Payment": "01/05/2015", "Last Contact": "", "As At": "30/06/2015", "Notes": "",
}  # fmt: skip


def row(**cells: str) -> dict[str, str]:
    """One row; keywords are column names with _ for blanks."""
    return {**PLAIN, **{name.replace("_", " "): value for name, value in cells.items()}}


def both(first: dict[str, str], **second: str) -> list[dict[str, str]]:
    """The two keyings of a case; `second` says in what the second differs."""
    other = {name.replace("_", " "): value for name, value in second.items()}
    return [first, {**first, "Key": "2", "Keyed By": "CLK002", **other}]


def book(rows: Sequence[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for number, cells in enumerate(rows, start=1):
        writer.writerow([str(number) if name == "Row" else cells[name] for name in COLUMNS])
    return out.getvalue().encode("cp1252")


def pack(folder: Path, content: bytes, *, records: int, sequence: int = 101, **keys: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"CLERICAL_20150701_{sequence:03}.csv"
    path.write_bytes(content)
    stated: dict[str, object] = {
        "FILE": path.name, "BYTES": len(content), "RECORDS": records,
        "SHA256": hashlib.sha256(content).hexdigest(), "SEQUENCE": sequence, "ASAT": "2015-06-30",
        "BALANCE_RP": 100000, "BALANCE_SOS": 0, "CUSTODIAN": 100, **keys,
    }  # fmt: skip
    trigger = "".join(f"{key}={value}\n" for key, value in stated.items() if value is not None)
    path.with_suffix(".ctl").write_text(trigger, encoding="ascii")
    return path
