"""Is there a document type declaration before the root element? Asked of the bytes, before any parser sees them.

A DOCTYPE can declare entities, which can grow without bounds or name files and addresses. So none is let through, in
whatever encoding it is written: the parser that comes next must not be the one to decide what it is about to read.
Source: XML 1.0 §2.8 (prolog), appendix F (encodings told from the first bytes).
"""

SCANNED = 64 * 1024
"""Bytes of the document that are looked at; a longer prolog is left to the parser, which stops at a DOCTYPE, too."""

_ENCODINGS = (
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00", "utf-16-be"),
    (b"Lo\xa7\x94", "cp037"),
)
"""First bytes of a document and the encoding that they show; all others hold ASCII's characters as ASCII does."""

ASCII_LIKE = "latin-1"
"""Stands for all encodings that contain ASCII; UTF-8 is one of them."""

_ENDS = (("<?", "?>"), ("<!--", "-->"))
_BLANKS = "\ufeff \t\r\n"


def encoding_of(head: bytes) -> str:
    """The family of encodings that the first bytes belong to; ASCII_LIKE where they hold ASCII."""
    if len(head) > 1 and head[1] == 0 and not head.startswith((b"\xff\xfe", b"<\x00\x00\x00")):
        return "utf-16-le"
    return next((name for mark, name in _ENCODINGS if head.startswith(mark)), ASCII_LIKE)


def has_doctype(head: bytes) -> bool:
    """True if a DOCTYPE stands in the prolog that begins with `head`."""
    text = head.removeprefix(b"\xef\xbb\xbf").decode(encoding_of(head), errors="replace")
    place = 0
    while True:
        while place < len(text) and text[place] in _BLANKS:
            place += 1
        end = next((end for start, end in _ENDS if text.startswith(start, place)), None)
        if end is None:
            return text.startswith("<!DOCTYPE", place)
        found = text.find(end, place)
        if found < 0:
            return False
        place = found + len(end)


def is_xml(head: bytes) -> bool:
    """Whether the first bytes look like a document, however it is encoded."""
    text = head.removeprefix(b"\xef\xbb\xbf")[:1024].decode(encoding_of(head), errors="replace")
    return text.lstrip(_BLANKS).startswith("<")
