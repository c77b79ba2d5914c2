"""Evidence packs: written from sections and files, verified with nothing but the pack and a public key.

    index.html         for people: every section, with charts
    evidence.json      the same for programs
    files/…            what was handed over and decided upon: return files, crosswalks, plan, policy
    MANIFEST.sha256    SHA-256 and path of every file above, as `sha256sum --check` reads it
    MANIFEST.sig       Ed25519 signature over the manifest's bytes, 64 bytes

Nothing in a pack says when or where it was written: the same store gives the same bytes.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from integrationhub.errors import Conflict, NotFound
from integrationhub.migration.evidence.page import html
from integrationhub.migration.evidence.signing import Signer, is_signed

MANIFEST, SIGNATURE, PAGE, DATA, FILES = "MANIFEST.sha256", "MANIFEST.sig", "index.html", "evidence.json", "files"
BLOCK = 1 << 20

Cell = str | int | bool | None
Attachment = Callable[[], AbstractContextManager[BinaryIO]]
"""Opens the bytes of a file that goes into the pack."""


def attached(path: Path) -> Attachment:
    """A file on this machine."""
    return lambda: path.open("rb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars of one unit (`count`, `pence`), label by label."""

    title: str
    unit: str
    bars: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One subject of the evidence: a table, a sentence about it, charts where people would rather look.

    Columns whose name ends in `_pence` hold whole pence.
    """

    key: str
    title: str
    sentence: str
    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[Cell]] = ()
    charts: tuple[Chart, ...] = field(default=())


def write_pack(
    out: Path, *, title: str, sections: Sequence[Section], attachments: Mapping[str, Attachment], signer: Signer
) -> str:
    """Write a pack into the folder `out`, which must be empty or missing; the manifest's SHA-256.

    `attachments`: name below `files/` → what opens the file. Conflict: something lies in the folder already.
    """
    if out.exists() and any(out.iterdir()):
        raise Conflict(f"{out} is not empty", code="FOLDER_IN_USE", remedy="name a new folder for the evidence")
    (out / FILES).mkdir(parents=True)
    data = {"title": title, "sections": [_as_dict(section) for section in sections]}
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1)
    (out / DATA).write_text(f"{text}\n", encoding="utf-8")
    (out / PAGE).write_text(html(title, sections), encoding="utf-8")
    for name, source in sorted(attachments.items()):
        target = out / FILES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with source() as stream, target.open("wb") as copy:
            shutil.copyfileobj(stream, copy, BLOCK)
    manifest = "".join(f"{_digest(out / name)}  {name}\n" for name in sorted(_files(out))).encode()
    (out / MANIFEST).write_bytes(manifest)
    (out / SIGNATURE).write_bytes(signer.sign(manifest))
    return sha256(manifest).hexdigest()


def verify_pack(folder: Path, public_key: Path) -> list[str]:
    """What is wrong with a pack, in sentences; nothing when every byte is as it was signed.

    Works offline. NotFound: there is no pack, or no key.
    """
    try:
        manifest, signature = (folder / MANIFEST).read_bytes(), (folder / SIGNATURE).read_bytes()
    except OSError as exc:
        raise NotFound(f"{folder} holds no evidence pack", code="NO_PACK") from exc
    if not is_signed(manifest, signature, public_key):
        return ["the manifest is not signed by this key, or was altered"]
    stated = {name: digest for digest, _, name in (line.partition("  ") for line in manifest.decode().splitlines())}
    return list(_differences(folder, stated))


def _differences(folder: Path, stated: Mapping[str, str]) -> Iterable[str]:
    there = set(_files(folder)) - {MANIFEST, SIGNATURE}
    yield from (f"{name} is missing" for name in sorted(stated.keys() - there))
    yield from (f"{name} is not part of the evidence" for name in sorted(there - stated.keys()))
    for name in sorted(there & stated.keys()):
        if (folder / name).is_symlink() or _digest(folder / name) != stated[name]:
            yield f"{name} was altered"


def _files(folder: Path) -> Iterable[str]:
    """Everything that is no folder; a link is a file of its own, wherever it leads."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield str(PurePosixPath(path.relative_to(folder)))


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as source:
        while block := source.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _as_dict(section: Section) -> dict[str, object]:
    rows = [dict(zip(section.columns, row, strict=True)) for row in section.rows]
    return {"key": section.key, "title": section.title, "sentence": section.sentence, "rows": rows}
