"""CS2 extracts made to order: the sample with changes, packed with a trigger file that fits, unless told otherwise."""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
SAMPLES = CHECKOUT / "connectors" / "csa2003" / "samples"
SAMPLE = SAMPLES / "CS2.EXTRACT.D20150701.S000101.xml.gz"
XML = gzip.decompress(SAMPLE.read_bytes()).decode()
ROOT = XML[XML.index("<CS2Extract") : XML.index("<Parties>")]
LISTS = ("Parties", "Addresses", "Cases", "Relationships", "Assessments", "Schedules", "Transactions", "Activities")
RECORDS = 1341


def renumbered(xml: str, sequence: int, *, kind: str = "FULL") -> str:
    return xml.replace('sequence="101"', f'sequence="{sequence}"', 1).replace('kind="FULL"', f'kind="{kind}"', 1)


def document(
    lists: Mapping[str, str], control: Mapping[str, object], *, sequence: int = 101, kind: str = "FULL"
) -> str:
    """A whole document of these lists; the control attributes that are not given are 0."""
    totals = {"balanceRP": "0.00", "balanceSOS": "0.00", "balanceUNK": "0.00", "suspended": "0.00", "custodian": "0.00"}
    stated: dict[str, object] = {**{name.lower(): 0 for name in LISTS}, **totals, **control}
    attributes = " ".join(f'{name}="{value}"' for name, value in stated.items())
    body = "".join(f"<{name}>{lists.get(name, '')}</{name}>" for name in LISTS)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return head + renumbered(ROOT, sequence, kind=kind) + body + f"<Control {attributes}/></CS2Extract>"


def pack(
    folder: Path,
    xml: str | bytes,
    *,
    sequence: int = 101,
    records: int = RECORDS,
    packed: bytes | None = None,
    **keys: object,
) -> Path:
    """Write the extract and its trigger file; `packed` is what stands in the .gz, `keys` overrule the trigger's."""
    content = xml.encode() if isinstance(xml, str) else xml
    data = gzip.compress(content, mtime=0) if packed is None else packed
    path = folder / f"CS2.EXTRACT.D20150701.S{sequence:06}.xml.gz"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    stated: dict[str, object] = {
        "FILE": path.name,
        "BYTES": len(data),
        "RECORDS": records,
        "SHA256": hashlib.sha256(data).hexdigest(),
        "SEQUENCE": sequence,
        "ASAT": "2015-06-30",
        "UNCOMPRESSED": len(content),
        **keys,
    }
    trigger = "".join(f"{key}={value}\n" for key, value in stated.items() if value is not None)
    (folder / path.name.replace(".xml.gz", ".ctl")).write_text(trigger, encoding="ascii")
    return path
