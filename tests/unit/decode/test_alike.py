"""Records that look alike are read by their pattern, and come out as the parser alone would give them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrationhub.decode.xml import repeated
from integrationhub.decode.xml.repeated import Repeated, RepeatedReader
from integrationhub.decode.xml.stranger import StrangerParser, XmlFault

SPEC = Repeated(
    record="L/R",
    fields=("A", "A@k", "B/C", "D"),
    child="P/Q",
    child_fields=("T", "T@k", "U"),
    lists=frozenset({"U"}),
)
Read = tuple[list[list[dict[str, object]]], str | None]

TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "x", "1.00", "a b", "\n", "a&amp;b", "<![CDATA[c]]>", "a<!-- c -->b", "&#65;", "]", "]]&gt;", "'",
         '"', ">", "~1~", "é", "\u2028", "\ufffd", "a\r\nb", "\t", "<?pi x?>"]
    ),
    st.text(alphabet="abc ~", max_size=4),
)  # fmt: skip
TAGS = st.sampled_from(
    [
        "<A>{}</A>", '<A k="1">{}</A>', "<A k='~2~' >{}</A >", "<A\n>{}</A>", "<B><C>{}</C></B>", "<D>{}</D>",
        "<X>{}</X>", "<X><A>{}</A></X>", '<X k="a>b">{}</X>', "<D/>{}", "<R>{}</R>", "<!-- <R>{}</R> -->",
        "<y:A xmlns:y='z'>{}</y:A>",
    ]
)  # fmt: skip
CHILDREN = st.sampled_from(["<T>{}</T>", '<T k="2">{}</T>', "<U>{}</U>", "<U>{}</U><U>b</U>", "<V>{}</V>"])


def filled(draw: st.DrawFn, templates: st.SearchStrategy[str], *, most: int) -> str:
    """Some elements with texts in them."""
    return "".join(one.replace("{}", draw(TEXTS)) for one in draw(st.lists(templates, max_size=most)))


@st.composite
def records(draw: st.DrawFn) -> str:
    """A record, from a few templates so that records look alike often."""
    own = filled(draw, TAGS, most=3)
    below = ["<Q>" + filled(draw, CHILDREN, most=2) + "</Q>" for _ in range(draw(st.integers(0, 2)))]
    return f"<R>{own}<P>{''.join(below)}</P></R>"


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """A document whose records repeat with other texts; sometimes not well-formed."""
    some = draw(st.lists(records(), min_size=1, max_size=4))
    many = [
        draw(st.sampled_from(some)).replace(">x<", f">{draw(st.sampled_from('pqr'))}{number}<") for number in range(12)
    ]
    between = draw(
        st.sampled_from(["", "\n  ", "<!-- <R><A>no</A></R> -->", "<N>n</N>", "<![CDATA[<R><A>x</A></R>]]>"])
    )
    prefix = draw(st.sampled_from(["", "<h>head</h>"]))
    text = f"<Z xmlns='n'>{prefix}<L>{between.join(many)}</L><L>{many[0]}</L></Z>"
    encoding = draw(st.sampled_from(["utf-8", "iso-8859-1", "utf-16"]))
    raw = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding, errors="xmlcharrefreplace")
    if draw(st.booleans()):
        return raw
    cut = draw(st.integers(0, len(raw)))
    return raw[:cut] + draw(st.sampled_from([b"", b"<", b"\xff", b"\x01", b"</R>", b"<R>"])) + raw[cut:]


def read(document: bytes, *, learn: bool, step: int) -> Read:
    """The rows of all tables, and the fault."""
    reader = RepeatedReader(lambda _space, root: SPEC if root == "Z" else None, learn=learn)
    found: list[list[dict[str, object]]] = [[], []]
    pieces = [document[start : start + step] for start in range(0, len(document), step)]
    try:
        for tables in reader.read(pieces):
            for place, name in enumerate(("record", "child")):
                if name in tables:
                    frame = tables[name]
                    found[place] += frame.select(sorted(frame.columns)).to_dicts()
    except XmlFault as exc:
        return [], f"{exc.code} {exc.offset}"
    return found, None


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents of a few hundred bytes are read as large ones are: piece by piece, batch by batch."""
    monkeypatch.setattr(repeated, "STEP", 40)
    monkeypatch.setattr(repeated, "RAW", 150)
    monkeypatch.setattr(repeated, "AT_ONCE", 5)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents(), st.sampled_from([7, 100, 100_000]))
def test_a_document_gives_the_same_rows_with_patterns_as_without(document: bytes, step: int) -> None:
    plain, fault = read(document, learn=False, step=100_000)
    fast, fast_fault = read(document, learn=True, step=step)
    assert (fast, (fast_fault or " ").split()[:1]) == (plain, (fault or " ").split()[:1])


def test_most_records_of_a_bank_never_reach_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[int] = []
    feed = StrangerParser.feed

    def counted(parser: StrangerParser, piece: bytes, *, final: bool = False) -> None:
        fed.append(len(piece))
        feed(parser, piece, final=final)

    monkeypatch.setattr(StrangerParser, "feed", counted)
    text = "".join(f"<R><A>{number}</A><P><Q><T>t{number}</T></Q></P></R>" for number in range(500))
    found, _ = read(f"<Z><L>{text}</L></Z>".encode(), learn=True, step=100_000)
    assert [row["A"] for row in found[0]] == [str(number) for number in range(500)]
    assert [row["T"] for row in found[1]] == [f"t{number}" for number in range(500)]
    assert sum(fed) < len(text) / 20


def test_offsets_are_those_of_the_document() -> None:
    text = "<Z><L>" + "".join(f"<R><A>{'é' * (number % 3)}</A></R>\n" for number in range(40)) + "</L></Z>"
    raw = text.encode()
    found, _ = read(raw, learn=True, step=100)
    assert all(raw[int(str(row["_offset"])) :].startswith(b"<R>") for row in found[0])
    assert len({row["_offset"] for row in found[0]}) == 40
