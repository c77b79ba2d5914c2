"""What refuses a whole file of bank statements, and how pages come together (payments.md §3 to §5)."""

import pytest

from integrationhub.intake.units import registry
from tests.unit.bank.conftest import FIRST
from tests.unit.bank.make import Statement, balance, document, entry, mt940, notification, part, statement
from tests.unit.bank.world import IBAN, World, decoded, in_hand, options

ENTRY = entry(ref="A1", parts=[part(FIRST)])
GOOD = document(Statement(entries=[ENTRY], closing=1000))
LINE = ":61:260313C10,NTRFC1//B1"


def summed_up(summary: str) -> str:
    """A statement of one credit of ten pounds that says this of its entries."""
    return document(Statement(entries=[ENTRY], closing=1000, summary=summary))


def test_a_statement_shows_its_balances(world: World) -> None:
    taken = world.take("camt", GOOD)
    assert taken.canonical == {"statement": "S1", "opening_pence": 0, "closing_pence": 1000}
    numbered = world.take("mt940", mt940(LINE, opening="D260313GBP50,00", closing="D260313GBP40,00", number="1"))
    assert numbered.canonical == {"statement": "1", "opening_pence": -5000, "closing_pence": -4000}
    assert world.take("camt", notification(ENTRY)).canonical is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (GOOD.replace("camt.053.001.02", "camt.053.001.04"), "XML_NAMESPACE"),
        (GOOD.replace("camt.053", "camt.052"), "XML_NAMESPACE"),
        (GOOD.replace("Document", "Documents"), "XML_NAMESPACE"),
        (GOOD.replace(' xmlns="', ' xmlns:x="'), "XML_NAMESPACE"),
        (GOOD.replace("<Document", "<!DOCTYPE Document><Document"), "XML_DTD"),
        (GOOD.replace("</Stmt>", ""), "XML_INVALID"),
        (GOOD.replace("Document", "Documents") + "<", "XML_INVALID"),
        (GOOD.replace("<Id>S1</Id>", "", 1), "XML_SCHEMA"),
        (GOOD.replace("<ElctrncSeqNb>1</ElctrncSeqNb>", ""), "XML_SCHEMA"),
        (GOOD.replace("<ElctrncSeqNb>1", "<ElctrncSeqNb>one"), "XML_SCHEMA"),
        (GOOD.replace(f"<IBAN>{IBAN}</IBAN>", ""), "XML_SCHEMA"),
        (document(Statement(opening=None)), "XML_SCHEMA"),
        (document(Statement(closing=None)), "XML_SCHEMA"),
        (document(Statement(), Statement()), "XML_SCHEMA"),
        (document(kind="053"), "XML_SCHEMA"),
        (document(Statement(page=(1, True))).replace("<PgNb>1</PgNb>", ""), "XML_SCHEMA"),
        (document(Statement(page=(1, True))).replace("true", "maybe"), "XML_SCHEMA"),
        (document(Statement(balances=balance("OPBD", 0).replace("0.00", "none"))), "XML_SCHEMA"),
        (document(Statement(opening=None, balances=balance("OPBD", 0).replace("CRDT", "C"))), "XML_SCHEMA"),
        (document(Statement(entries=[ENTRY.replace("10.00", "ten")])), "XML_SCHEMA"),
        (document(Statement(entries=[ENTRY.replace("10.00", "-10.00")])), "XML_SCHEMA"),
        (document(Statement(entries=[ENTRY.replace(' Ccy="GBP"', "")])), "XML_SCHEMA"),
        (document(Statement(entries=[ENTRY.replace("CRDT", "CREDIT")])), "XML_SCHEMA"),
        (document(Statement(entries=[ENTRY.replace("<CdtDbtInd>CRDT</CdtDbtInd>", "")])), "XML_SCHEMA"),
        (document(Statement(entries=[ENTRY.replace("<Sts>BOOK</Sts>", "")])), "XML_SCHEMA"),
        (document(Statement(entries=[entry(returned="maybe")])), "XML_SCHEMA"),
        (document(Statement(entries=[entry(day="2026-02-29")])), "XML_SCHEMA"),
        (document(Statement(entries=[entry(day="10.03.2026")])), "XML_SCHEMA"),
        (document(Statement(entries=[entry(dates="")])), "XML_SCHEMA"),
        (summed_up("<TtlNtries><NbOfNtries>one</NbOfNtries></TtlNtries>"), "XML_SCHEMA"),
        (GOOD.replace(IBAN, "GB00TEST00009900012346"), "WRONG_ADDRESSEE"),
        (summed_up("<TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries>"), "CONTROL_COUNT"),
        (summed_up("<TtlNtries><NbOfNtries>2</NbOfNtries><Sum>9</Sum></TtlNtries>"), "CONTROL_COUNT"),
        (summed_up("<TtlNtries><NbOfNtries>1</NbOfNtries><Sum>10.001</Sum></TtlNtries>"), "CONTROL_TOTAL"),
        (summed_up("<TtlNtries><Sum>10</Sum></TtlNtries><TtlCdtNtries><Sum>9</Sum></TtlCdtNtries>"), "CONTROL_TOTAL"),
        (summed_up("<TtlNtries><Sum>10</Sum></TtlNtries><TtlDbtNtries><Sum>1</Sum></TtlDbtNtries>"), "CONTROL_TOTAL"),
        (document(Statement(entries=[ENTRY], closing=999)), "BALANCE_MISMATCH"),
        (document(Statement(entries=[ENTRY], closing=-1000)), "BALANCE_MISMATCH"),
        (document(Statement(entries=[ENTRY, entry(amount="0.00001")], closing=1000)), "BALANCE_MISMATCH"),
    ],
)  # fmt: skip
def test_a_broken_document_is_refused_by_the_first_check_that_fails(world: World, content: str, code: str) -> None:
    taken = world.take("camt", content)
    assert (taken.outcome, taken.reason) == ("REJECTED", code)
    assert world.take("camt", GOOD).outcome == "LOADED"  # what was refused used up nothing


def test_a_broken_entry_is_told_with_its_place() -> None:
    content = document(Statement(entries=[ENTRY, entry(dates=""), entry(day="x")], closing=3000)).encode()
    _, facts = decoded(registry.decoder("camt", options()), content, in_hand(content))
    assert facts.structure is not None
    assert (facts.structure.code, facts.structure.record) == ("XML_SCHEMA", 3)
    assert content[facts.structure.offset or 0 :].startswith(b"<Ntry>")


def test_what_is_announced_counts_for_sums_and_not_for_balances(world: World) -> None:
    summary = "<TtlNtries><NbOfNtries>2</NbOfNtries><Sum>15.00</Sum></TtlNtries>"
    both = [ENTRY, entry(500, status="PDNG")]
    assert world.take("camt", document(Statement(entries=both, closing=1000, summary=summary))).outcome == "LOADED"


def test_a_statement_opens_with_what_the_one_before_closed_with(world: World) -> None:
    world.take("camt", statement(ENTRY, net=1000))
    broken = statement(entry(ref="A2"), net=1000, opening=999, name="S2", number=2)
    assert world.take("camt", broken).reason == "BALANCE_CHAIN"
    assert (
        world.take("camt", statement(entry(ref="A2"), net=1000, opening=1000, name="S2", number=2)).outcome == "LOADED"
    )


def test_numbers_follow_each_other_within_an_account(world: World) -> None:
    ahead = statement(ENTRY, net=1000, name="S2", number=2)
    assert world.take("camt", ahead).outcome == "HELD"
    assert world.take("mt940", mt940()).outcome == "LOADED"
    assert world.take("camt", GOOD).outcome == "LOADED"


def test_the_same_statement_again_is_a_duplicate_and_another_one_by_its_name_is_refused(world: World) -> None:
    assert world.take("camt", GOOD).outcome == "LOADED"
    assert world.take("camt", GOOD).outcome == "DUPLICATE"
    other = world.take("camt", statement(entry(ref="A1", pence=900), net=900))
    assert (other.outcome, other.reason) == ("REJECTED", "SEQ_REUSED")
    assert world.take("camt", notification(ENTRY)).outcome == "LOADED"
    assert world.take("camt", notification(ENTRY)).outcome == "DUPLICATE"
    assert world.take("camt", notification()).reason == "SEQ_REUSED"


def page(number: int, *, last: bool, entries: tuple[str, ...] = (), closing: int = 0, summary: str = "") -> str:
    """A page of the statement S1."""
    return document(
        Statement(
            entries=entries,
            page=(number, last),
            opening=0 if number == 1 else None,
            closing=closing if last else None,
            balances=balance("ITBD", 77),
            summary=summary,
        )
    )


def test_pages_wait_for_the_last_one_which_brings_the_entries_of_all(world: World) -> None:
    one = page(1, last=False, entries=(ENTRY, entry(ref="A2")))
    assert world.take("camt", one).canonical == {"statement": "S1", "pending_pages": True}
    assert world.take("camt", one).outcome == "DUPLICATE"
    assert world.take("camt", page(2, last=False, entries=(entry(ref="A3"),))).units == []
    last = world.take("camt", page(3, last=True, entries=(entry(ref="A4"),), closing=4000))
    assert [key for key, _, _ in last.shown] == ["S1/1", "S1/2", "S1/3", "S1/4"]
    assert last.canonical == {"statement": "S1", "opening_pence": 0, "closing_pence": 4000}
    assert world.take("camt", statement(net=0, opening=4000, name="S2", number=2)).outcome == "LOADED"


def test_a_page_that_is_not_the_next_is_a_gap(world: World) -> None:
    assert world.take("camt", page(2, last=True)).reason == "PAGE_GAP"
    world.take("camt", page(1, last=False, entries=(ENTRY,)))
    assert world.take("camt", page(3, last=True)).reason == "PAGE_GAP"
    assert world.take("camt", document(Statement(name="OTHER", page=(2, True), opening=None))).reason == "PAGE_GAP"
    assert world.take("camt", document(Statement(name="OTHER"))).reason == "PAGE_GAP"
    assert world.take("camt", page(2, last=True, closing=1000)).outcome == "LOADED"


def test_a_refused_last_page_leaves_the_others_waiting(world: World) -> None:
    summary = "<TtlNtries><NbOfNtries>{}</NbOfNtries></TtlNtries>"
    world.take("camt", page(1, last=False, entries=(ENTRY,), summary=summary.format(1)))
    assert world.take("camt", page(2, last=True, closing=999)).reason == "BALANCE_MISMATCH"
    assert world.take("camt", page(2, last=True, closing=1000, summary=summary.format(1))).reason == "CONTROL_COUNT"
    assert world.take("camt", page(2, last=True, closing=1000, summary=summary.format(0))).outcome == "LOADED"


def test_pages_of_mt940_come_together_too(world: World) -> None:
    first = mt940(LINE, ":86:" + FIRST, closing="C260313GBP10,", last=False)
    second = mt940(
        ":61:260313C5,NTRFNONREF//B2", ":86:" + FIRST, opening="C260313GBP10,", closing="C260313GBP15,",
        number="00001/002", first=False,
    )  # fmt: skip
    assert world.take("mt940", first).canonical == {"statement": "00001", "pending_pages": True}
    taken = world.take("mt940", second)
    assert taken.shown == [("MT1/1", "LOADED", None), ("MT1/2", "LOADED", None)]
    assert taken.canonical == {"statement": "00001", "opening_pence": 0, "closing_pence": 1500}


WHOLE = mt940(LINE, ":86:X", closing="C260313GBP10,")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (WHOLE.replace("X", "\0"), "TEXT_CONTROL_CHAR"),
        ("nonsense\0", "TEXT_CONTROL_CHAR"),
        ("", "MT940_STRUCTURE"),
        ("nonsense", "MT940_STRUCTURE"),
        (WHOLE.replace(":20:MT1\n", ""), "MT940_STRUCTURE"),
        (WHOLE.replace(":20:MT1", ":20:"), "MT940_STRUCTURE"),
        (WHOLE.replace(":25:00009900067890\n", ""), "MT940_STRUCTURE"),
        (WHOLE.replace(":28C:", ":28:"), "MT940_STRUCTURE"),
        (WHOLE.replace(":28C:00001/001", ":28C:A"), "MT940_STRUCTURE"),
        (WHOLE.replace(":28C:00001/001", ":28C:00001/002"), "MT940_STRUCTURE"),
        (WHOLE.replace(":60F:", ":60M:"), "MT940_STRUCTURE"),
        (WHOLE.replace(":60F:C260313GBP0,\n", ""), "MT940_STRUCTURE"),
        (WHOLE.replace(":62F:C260313GBP10,\n", ""), "MT940_STRUCTURE"),
        (WHOLE.replace("\n-\n", "\n"), "MT940_STRUCTURE"),
        (WHOLE.replace("\n-\n", "\n-}\n"), "MT940_STRUCTURE"),
        (WHOLE + WHOLE, "MT940_STRUCTURE"),
        (WHOLE + "more", "MT940_STRUCTURE"),
        ("before\n" + WHOLE, "MT940_STRUCTURE"),
        (WHOLE.replace(":86:X", ":86:X\n:86:Y"), "MT940_STRUCTURE"),
        (WHOLE.replace(":86:X", ":99:X"), "MT940_STRUCTURE"),
        (WHOLE.replace("C10,N", "C10N"), "MT940_STRUCTURE"),
        (WHOLE.replace("C10,N", "C10,001N"), "MT940_STRUCTURE"),
        (WHOLE.replace("C10,N", "C10.00N"), "MT940_STRUCTURE"),
        (WHOLE.replace("C10,N", "X10,N"), "MT940_STRUCTURE"),
        (WHOLE.replace("NTRF", "STRF"), "MT940_STRUCTURE"),
        (WHOLE.replace(":61:260313", ":61:260231"), "MT940_STRUCTURE"),
        (WHOLE.replace(":61:260313", ":61:2603131301"), "MT940_STRUCTURE"),
        (WHOLE.replace("C260313GBP10,", "C261313GBP10,"), "MT940_STRUCTURE"),
        (WHOLE.replace("C260313GBP10,", "C260313GB10,"), "MT940_STRUCTURE"),
        (WHOLE.encode().replace(b"X", b"\x81"), "MT940_STRUCTURE"),
        (WHOLE.replace("X", "X" * 70_000), "MT940_STRUCTURE"),
        (WHOLE.replace("00009900067890", "00009900067891"), "WRONG_ADDRESSEE"),
        (WHOLE.replace("GBP10,\n", "GBP11,\n"), "BALANCE_MISMATCH"),
    ],
)
def test_a_broken_mt940_is_refused_by_the_first_check_that_fails(world: World, content: str | bytes, code: str) -> None:
    taken = world.take("mt940", content)
    assert (taken.outcome, taken.reason) == ("REJECTED", code)


@pytest.mark.parametrize(
    "content",
    [
        WHOLE.replace("\n", "\r\n"),
        "{1:F01AAAAGB2LAXXX0000000000}{2:I940AAAAGB2LXXXXN}{4:\n" + WHOLE.replace("\n-\n", "\n-}\n"),
        "{1:F01A}{2:I940B}{3:{108:X}}{4:\n" + WHOLE.replace("\n-\n", "\n-}{5:{CHK:1}}"),
        WHOLE.replace(":86:X", "supplementary\n:86:X\nY"),
        WHOLE.replace("\n-\n", "\n:64:C260313GBP10,\n-"),
        WHOLE.replace("X", "J\u00fcrgen"),
    ],
)
def test_mt940_may_be_wrapped_and_end_its_lines_either_way(world: World, content: str) -> None:
    assert world.take("mt940", content.encode("cp1252")).outcome == "LOADED"


def report(
    *statuses: str, version: str = "03", group: str = "PART", message: str = "<OrgnlMsgId>M1</OrgnlMsgId>"
) -> str:
    """A payment status report."""
    found = "".join(statuses)
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt><OrgnlGrpInfAndSts>'
        f"{message}<GrpSts>{group}</GrpSts><StsRsnInf><Rsn><Cd>AM05</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts>{found}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )


def status(code: str, e2e: str = "E1", reason: str = "") -> str:
    """The status of a payment."""
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>{e2e}</OrgnlEndToEndId><TxSts>{code}</TxSts>{why}</TxInfAndSts>"


def test_each_status_of_a_payment_is_kept_once(world: World) -> None:
    content = report(status("ACCP"), status("PDNG"), status("RJCT", reason="AC04"), status("XXXX"), status("ACCP"))
    taken = world.take("pain002", content)
    assert taken.shown == [
        ("M1/E1", "LOADED", None),
        ("M1/E1", "LOADED", None),
        ("M1/E1", "LOADED", None),
        ("M1/E1", "EXCEPTION", "UNKNOWN_CODE"),
        ("M1/E1", "DUPLICATE", None),
    ]
    assert taken.units[2][1].canonical == {
        "type": "status", "end_to_end_id": "E1", "status": "REJECTED", "reason": "AC04",
    }  # fmt: skip
    assert [outcome for _, outcome, _ in world.take("pain002", content + "\n").shown].count("DUPLICATE") == 4


def test_a_message_that_is_rejected_as_a_whole_is_one_record(world: World) -> None:
    taken = world.take("pain002", report(group="RJCT", version="10"))
    assert taken.shown == [("M1", "LOADED", None)]
    assert (taken.only.canonical or {})["reason"] == "AM05"
    assert world.take("pain002", report(status("ACSC"), group="RJCT")).shown == [("M1/E1", "LOADED", None)]
    assert world.take("pain002", report(group="ACCP")).shown == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (report(version="09"), "XML_NAMESPACE"),
        (report(message=""), "XML_SCHEMA"),
        (report(status("ACCP", e2e="")), "XML_SCHEMA"),
        (report(status("")), "XML_SCHEMA"),
        ("<!DOCTYPE x>" + report(), "XML_DTD"),
        (report() + "x", "XML_INVALID"),
    ],
)
def test_a_broken_status_report_is_refused(world: World, content: str, code: str) -> None:
    assert world.take("pain002", content).reason == code
