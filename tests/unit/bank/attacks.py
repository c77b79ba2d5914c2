"""Documents that want to do harm, read in a process of their own that watches what reading them does.

python -m tests.unit.bank.attacks      one JSON object: attack → reason code, what was opened, megabytes more
"""

import codecs
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from integrationhub.decode.units import camt, pain002
from integrationhub.sdk.units import UnitDecoder
from tests.unit.bank.make import Statement, document, entry
from tests.unit.bank.world import decoded_stream, in_hand, options

VICTIM = "/etc/hostname"
_BODY = document(Statement(entries=[entry(1000)], closing=1000))
_ROOT = _BODY[_BODY.index("<Document") :]
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


class Endless(io.RawIOBase):
    """A head, then the same piece so many times, then a tail; none of it in memory at once."""

    def __init__(self, head: bytes, piece: bytes, times: int, tail: bytes = b"") -> None:
        self._pieces: Iterator[bytes] = (part for part in (head, *(piece for _ in range(times)), tail))

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 - pieces are as large as they are
        return next(self._pieces, b"")


def with_text(text: str) -> str:
    """A statement whose entry has this in its text."""
    return _BODY.replace("</NtryDtls>", f"<TxDtls><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls>")


def with_doctype(declared: str, text: str = "&x;") -> str:
    """The same behind a document type declaration."""
    return with_text(text).replace("<Document", f"<!DOCTYPE Document {declared}><Document", 1)


_OPEN = with_text("@").partition("@")[0].encode()
_BEFORE_ENTRIES = _OPEN[: _OPEN.index(b"<Ntry>")]
_IN_ENTRY = _OPEN[: _OPEN.index(b"<TxDtls>")]
MB = 1024 * 1024

ATTACKS: dict[str, tuple[str, Callable[[], object]]] = {
    "external entity": ("XML_DTD", lambda: with_doctype(f'[<!ENTITY x SYSTEM "file://{VICTIM}">]')),
    "external entity over the network": ("XML_DTD", lambda: with_doctype('[<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]')),
    "parameter entity": ("XML_DTD", lambda: with_doctype(f'[<!ENTITY % x SYSTEM "file://{VICTIM}"> %x;]', "")),
    "external subset": ("XML_DTD", lambda: with_doctype('SYSTEM "http://127.0.0.1:9/x.dtd"', "")),
    "public identifier": ("XML_DTD", lambda: with_doctype(f'PUBLIC "-//X//Y" "{VICTIM}"', "")),
    "billion laughs": ("XML_DTD", lambda: with_doctype(f'[<!ENTITY l0 "ha">{_LAUGHS}]', "&l11;")),
    "quadratic": ("XML_DTD", lambda: with_doctype(f'[<!ENTITY x "{"a" * 50_000}">]', "&x;" * 5_000)),
    "harmless declaration": ("XML_DTD", lambda: with_doctype("", "")),
    "declaration behind a long comment": (
        "XML_DTD", lambda: with_doctype("[]", "").replace("<!DOCTYPE", f"<!--{'x' * 300_000}--><!DOCTYPE"),
    ),
    "declaration inside the root": ("XML_DTD", lambda: with_text("<!DOCTYPE x>")),
    "declaration in UTF-16": ("XML_DTD", lambda: with_doctype("[]").replace("UTF-8", "UTF-16").encode("utf-16")),
    "declaration in UTF-16 without a mark": ("XML_DTD", lambda: with_doctype("[]").encode("utf-16-be")),
    "declaration in UTF-32": ("XML_DTD", lambda: with_doctype("[]").encode("utf-32")),
    "declaration in EBCDIC": ("XML_DTD", lambda: with_doctype("[]").encode("cp037")),
    "undefined entity": ("XML_INVALID", lambda: with_text("&x;")),
    "XInclude": (
        "", lambda: with_text(f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{VICTIM}" parse="text"/>'),
    ),
    "schema location": (
        "", lambda: _BODY.replace("<Document ", '<Document xmlns:s="http://www.w3.org/2001/XMLSchema-instance" '
                                  's:schemaLocation="x http://127.0.0.1:9/x.xsd" '),
    ),
    "stylesheet": ("", lambda: _BODY.replace("<Document", f'<?xml-stylesheet href="file://{VICTIM}"?><Document')),
    "UTF-7": ("XML_INVALID", lambda: '<?xml version="1.0" encoding="UTF-7"?>' + _ROOT),
    "an encoding of Python's": ("XML_INVALID", lambda: '<?xml version="1.0" encoding="unicode_escape"?>' + _ROOT),
    "windows-1252": ("XML_INVALID", lambda: '<?xml version="1.0" encoding="windows-1252"?>' + _ROOT),
    "UTF-16 declared, not used": ("XML_INVALID", lambda: '<?xml version="1.0" encoding="UTF-16"?>' + _ROOT),
    "UTF-8 declared, not used": ("XML_INVALID", lambda: _BODY.encode("utf-16")),
    "not UTF-8": ("XML_INVALID", lambda: with_text("\u00e4").encode("latin-1")),
    "overlong UTF-8": ("XML_INVALID", lambda: with_text("@").encode().replace(b"@", b"\xc0\xbc")),
    "surrogates in UTF-8": ("XML_INVALID", lambda: with_text("@").encode().replace(b"@", b"\xed\xa0\x80")),
    "no characters of XML": ("XML_INVALID", lambda: with_text("\uffff")),
    "deep": ("XML_INVALID", lambda: with_text("<a>" * 100_000)),
    "64 deep": ("", lambda: with_text("<a>" * 56 + "</a>" * 56)),
    "65 deep": ("XML_INVALID", lambda: with_text("<a>" * 57 + "</a>" * 57)),
    "deep where nobody looks": ("XML_INVALID", lambda: _BODY.replace("<Stmt>", "<Stmt>" + "<a>" * 100_000)),
    "huge text": ("XML_INVALID", lambda: Endless(_OPEN, b"a" * MB, 300)),
    "huge text beside the entries": ("XML_INVALID", lambda: Endless(_BEFORE_ENTRIES + b"<x>", b"a" * MB, 300)),
    "huge comment": ("XML_INVALID", lambda: Endless(_OPEN + b"<!--", b"a" * MB, 300)),
    "huge tag": ("XML_INVALID", lambda: Endless(_OPEN + b"<", b"a" * MB, 300)),
    "huge attribute": ("XML_INVALID", lambda: Endless(_OPEN + b'<a b="', b"a" * MB, 300)),
    "many transactions": ("XML_INVALID", lambda: Endless(_IN_ENTRY, b"<TxDtls></TxDtls>" * 4096, 100)),
    "many elements beside the entries": ("XML_INVALID", lambda: Endless(_BEFORE_ENTRIES, b"<x/>" * 4096, 100)),
    "another root without end": ("XML_NAMESPACE", lambda: Endless(b"<a>", b"<b><c/></b>" * 4096, 200, b"</a>")),
    "nothing": ("XML_INVALID", lambda: b""),
}  # fmt: skip


def main() -> None:
    """Read every attack, and say what came of it."""
    opened: list[str] = []
    files = {"open", "os.open", "socket.connect", "socket.getaddrinfo", "socket.__new__", "subprocess.Popen"}
    watching = False

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and (event in files or event.startswith(("socket.", "urllib.", "http."))):
            opened.append(f"{event} {arguments[:1]}")

    found: dict[str, Any] = {}
    decoders = camt.build(options()), pain002.build(options())
    read(decoders, _BODY)  # from here on everything is imported, and every codec that names an encoding
    for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp037"):
        codecs.lookup(codec)
    sys.addaudithook(watch)
    for name, (_, made) in ATTACKS.items():
        content, before = made(), peak()
        opened.clear()
        watching = True
        code = read(decoders, content)
        watching = False
        found[name] = {"code": code, "opened": [*opened], "grown": (peak() - before) // MB}
    sys.stdout.write(json.dumps(found) + "\n")


def read(decoders: Sequence[UnitDecoder], content: object) -> str:
    """The reason for which the first of them refuses a document; empty where it doesn't. The others read it, too."""
    codes = []
    for decoder in decoders[:1] if isinstance(content, Endless) else decoders:
        raw = content.encode() if isinstance(content, str) else content
        stream = cast("BinaryIO", raw if isinstance(raw, Endless) else io.BytesIO(cast("bytes", raw)))
        facts = decoded_stream(decoder, stream, in_hand(b""))
        codes.append(facts.structure.code if facts.structure is not None else "")
    return codes[0]


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
