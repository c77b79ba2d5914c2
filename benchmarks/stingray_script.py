"""Reads records with Stingray and prints the seconds it took; `stingray_peer.py` runs it in Stingray's environment."""

import json
import struct
import sys
import time
from pathlib import Path
from typing import Any

from stingray import estruct  # type: ignore[import-not-found] # it stands in another environment
from stingray.cobol_parser import schema_iter  # type: ignore[import-not-found]
from stingray.schema_instance import SchemaMaker  # type: ignore[import-not-found]
from stingray.workbook import COBOL_EBCDIC_File  # type: ignore[import-not-found]


def main() -> None:
    """copybook, data, 01 level, record length, records → seconds for all elementary fields of all records."""
    copybook, data, level, length, records = sys.argv[1:]
    with Path(copybook).open(encoding="utf-8") as source:
        schemas = list(schema_iter(source))
    schema = next(found for found in schemas if found["title"] == level)
    names = list(_fields(schema))
    taken = faults = 0
    started = time.perf_counter()
    with COBOL_EBCDIC_File(Path(data), recfm_class=estruct.RECFM_F, lrecl=int(length)) as workbook:
        sheet = workbook.sheet("").set_schema(SchemaMaker.from_json(schema))
        for row in sheet.rows():
            taken += 1
            for name in names:
                try:
                    nav = row.name(name[0])
                    for inner in name[1:]:
                        nav = nav.name(inner)
                    nav.value()
                except (ArithmeticError, ValueError, struct.error):
                    faults += 1  # it takes unsigned and long binary fields for other lengths than IBM's compiler does
            if taken == int(records):
                break
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - started, "fields": len(names), "faults": faults}))


def _fields(schema: dict[str, Any]) -> list[tuple[str, ...]]:
    """The elementary items outside tables and redefinitions, each with the groups it lies in."""
    found: list[tuple[str, ...]] = []
    for name, item in schema.get("properties", {}).items():
        if "FILLER" in name or "oneOf" in item or item.get("type") == "array":
            continue
        inside = _fields(item) if item.get("type") == "object" else [()]
        found += [(name, *path) for path in inside]
    return found


if __name__ == "__main__":
    main()
