from pathlib import Path

import pytest

from integrationhub.decode.copybook import Category, Copybook, Item, Occurs, Sign, Usage, parse_copybook

COPYBOOKS = Path(__file__).parent / "copybooks"
RETURNS = Path(__file__).parents[3] / "connectors" / "csa1993"


def records(*lines: str) -> tuple[Item, ...]:
    return parse_copybook("".join(f"       {line}\n" for line in lines)).records


def fields(*lines: str) -> dict[str, Item]:
    return {item.key: item for record in records(*lines) for item in record.walk()}


def field(clauses: str) -> Item:
    return fields("01  R.", f"    05  F  {clauses}.")["F"]


@pytest.mark.parametrize(
    ("path", "lengths"),
    [
        (RETURNS / "csa1993-return.cpy", {"RTN-HEADER": 80, "RTN-DETAIL": 80, "RTN-TRAILER": 80}),
        (COPYBOOKS / "cps-returns.cpy", {"CP-HEADER": 160, "CP-DETAIL": 160, "CP-TRAILER": 160}),
        (COPYBOOKS / "debt-manager.cpy", {"DM-HEADER": 600, "DM-DETAIL": 600, "DM-TRAILER": 600}),
    ],
)
def test_every_record_of_a_fixed_file_has_the_length_its_document_gives(path: Path, lengths: dict[str, int]) -> None:
    copybook = parse_copybook(path.read_text(), name=path.name)
    assert {record.name: record.length for record in copybook.records} == lengths


def test_the_extract_has_its_fields_where_the_interface_document_says(extract_copybook: Copybook) -> None:
    at = {item.name: item.offset + 1 for record in extract_copybook.records for item in record.walk()}
    documented = {
        "H-SYSTEM": 3, "H-VERSION": 7, "H-SEQUENCE": 10, "H-ASAT-DATE": 28, "H-KIND": 32, "H-CODEPAGE": 33,
        "G-NRP-PARTY": 7, "G-STATUS": 13, "G-PV-MARKER": 16,
        "C-STATUS": 17, "C-LIAB-END": 26, "C-BAL-RP": 37, "C-BAL-SOS": 48, "C-BAL-UNK": 60, "C-SUSP-RP": 66,
        "C-CUST-CASH": 78, "C-BENEFIT-COUNT": 86, "C-NOTE-LEN": 88, "C-BENEFIT": 90,
        "P-NINO": 24, "P-SURNAME": 33, "P-BIRTH": 103, "P-PAYEE": 120,
        "A-POSTCODE": 17, "A-LINE-COUNT": 25, "A-LINE": 26,
        "M-COUNT": 17, "M-ROW": 19, "M-WEEKLY": 28, "M-CHILD": 42,
        "L-AMOUNT": 31, "L-DATA": 40, "LC-ASM-ROW": 52, "LR-QUOTED": 56, "LR-HELD": 74, "LA-TEXT": 54, "LV-DATE": 46,
        "E-TO": 29, "E-PARTY": 34,
        "T-ENTRY": 11, "T-BAL-RP": 53, "T-LEDGER-HASH": 93,
    }  # fmt: skip
    assert {name: at[name] for name in documented} == documented


def test_names_for_values_are_kept_with_their_item(extract_copybook: Copybook) -> None:
    status = next(item for item in extract_copybook.record("CSX-CASE").walk() if item.name == "C-STATUS")
    assert [(condition.name, condition.ranges) for condition in status.conditions] == [
        ("C-LIVE", (("L", "L"),)),
        ("C-ARREARS-ONLY", (("A", "A"),)),
        ("C-CLOSED", (("C", "C"),)),
        ("C-OFF-SYSTEM", (("X", "X"),)),
    ]


def test_a_condition_may_name_several_values_and_ranges() -> None:
    item = fields("01 R.", "   05 F PIC 9.", "      88 LOW VALUES ARE 0, 1 THRU 4 'IT''S'.")["F"]
    assert item.conditions[0].ranges == (("0", "0"), ("1", "4"), ("IT'S", "IT'S"))


@pytest.mark.parametrize(
    ("clauses", "usage", "length"),
    [
        ("PIC 9(4)", Usage.DISPLAY, 4),
        ("PIC S9(4)", Usage.DISPLAY, 4),
        ("PIC S9(4) SIGN TRAILING SEPARATE CHARACTER", Usage.DISPLAY, 5),
        ("PIC S9(4) SIGN IS LEADING", Usage.DISPLAY, 4),
        ("PICTURE IS XXX", Usage.DISPLAY, 3),
        ("PIC A(3)X(2)9(1)", Usage.DISPLAY, 6),
        ("PIC ZZ,ZZ9.99CR", Usage.DISPLAY, 11),
        ("PIC -9(5).9(2)", Usage.DISPLAY, 9),
        ("PIC $$,$$9.99", Usage.DISPLAY, 9),
        ("PIC S9(4) COMP", Usage.BINARY, 2),
        ("PIC S9(5) COMPUTATIONAL", Usage.BINARY, 4),
        ("PIC S9(9) USAGE IS BINARY", Usage.BINARY, 4),
        ("USAGE COMP-4 PIC S9(10)", Usage.BINARY, 8),
        ("PIC S9(18) COMP-5", Usage.NATIVE, 8),
        ("PIC S9(7)V99 COMP-3", Usage.PACKED, 5),
        ("PIC S9(8) PACKED-DECIMAL", Usage.PACKED, 5),
        ("PIC 9(5) COMP-6", Usage.PACKED_UNSIGNED, 3),
        ("COMP-1", Usage.FLOAT, 4),
        ("USAGE COMPUTATIONAL-2", Usage.DOUBLE, 8),
        ("PIC N(3) NATIONAL", Usage.NATIONAL, 6),
        ("PIC G(3) DISPLAY-1", Usage.DBCS, 6),
        ("INDEX", Usage.INDEX, 4),
        ("POINTER", Usage.POINTER, 4),
    ],
)
def test_storage_follows_usage_in_any_spelling_and_place(clauses: str, usage: Usage, length: int) -> None:
    item = field(clauses)
    assert (item.usage, item.length) == (usage, length)


@pytest.mark.parametrize(
    ("picture", "digits", "scale", "signed"),
    [
        ("9(5)V99", 7, 2, False),
        ("S9(5)V9(2)", 7, 2, True),
        ("SV9(3)", 3, 3, True),
        ("9(3)V", 3, 0, False),
        ("99PPP", 2, -3, False),
        ("PP99", 2, 4, False),
        ("VPP9", 1, 3, False),
        ("SPPP9(2)", 2, 5, True),
    ],
)
def test_a_numeric_picture_gives_digits_and_scale(picture: str, digits: int, scale: int, signed: bool) -> None:
    item = field(f"PIC {picture}")
    assert (item.category, item.digits, item.scale, item.signed) == (Category.NUMBER, digits, scale, signed)


@pytest.mark.parametrize(("picture", "scale"), [("ZZ9.99", 2), ("-9(5).9(2)", 2), ("Z,ZZ9", 0), ("99/99/9999", 0)])
def test_an_edited_picture_is_told_from_a_number(picture: str, scale: int) -> None:
    item = field(f"PIC {picture}")
    assert (item.category, item.scale) == (Category.EDITED, scale)


def test_usage_and_sign_of_a_group_hold_for_everything_below_it() -> None:
    found = fields(
        "01  R.",
        "    05  G  COMP-3.",
        "        10  A  PIC S9(3).",
        "        10  B  PIC S9(3) DISPLAY.",
        "    05  H  SIGN IS LEADING SEPARATE.",
        "        10  C  PIC S9(3).",
    )
    assert (found["A"].usage, found["A"].length) == (Usage.PACKED, 2)
    assert (found["B"].usage, found["B"].length) == (Usage.DISPLAY, 3)
    assert (found["C"].sign, found["C"].length) == (Sign(leading=True, separate=True), 4)


def test_tables_know_their_bounds_their_count_and_their_indexes() -> None:
    found = fields(
        "01  R.",
        "    05  N  PIC 99.",
        "    05  T  OCCURS 1 TO 5 TIMES DEPENDING ON N",
        "           ASCENDING KEY IS K INDEXED BY I, J.",
        "        10  K  PIC X(2).",
        "    05  U  PIC X OCCURS 3.",
        "    05  W  PIC X OCCURS 4 DEPENDING N.",
    )
    assert found["T"].occurs == Occurs(least=1, most=5, depending_on="N", keys=("K",), indexes=("I", "J"))
    assert found["U"].occurs == Occurs(least=3, most=3)
    assert found["W"].occurs == Occurs(least=0, most=4, depending_on="N")
    assert (found["T"].extent, found["U"].offset, found["W"].offset) == (10, 12, 15)


def test_a_redefinition_starts_where_its_target_does_and_the_longest_counts() -> None:
    found = fields(
        "01  R.",
        "    05  A  PIC X(4).",
        "    05  B  REDEFINES A PIC X(6).",
        "    05  C  REDEFINES B.",
        "        10  D  PIC X.",
        "        10  E  REDEFINES D PIC 9.",
        "    05  Z  PIC X.",
    )
    assert {name: found[name].offset for name in "ABCDEZ"} == {"A": 0, "B": 0, "C": 0, "D": 0, "E": 0, "Z": 6}
    assert (found["A"].redefined, found["B"].redefined, found["Z"].redefined) == (True, True, False)


def test_synchronized_items_stand_on_their_boundary() -> None:
    found = fields(
        "01  R.",
        "    05  A  PIC X.",
        "    05  B  PIC S9(4) COMP SYNC.",
        "    05  C  PIC X.",
        "    05  D  PIC S9(9) COMP SYNCHRONIZED RIGHT.",
        "    05  E  PIC X.",
        "    05  F  COMP-2 SYNC.",
        "    05  T  OCCURS 3.",
        "        10  G  PIC S9(4) COMP SYNC.",
        "        10  H  PIC X.",
    )
    assert {name: found[name].offset for name in "BDFGH"} == {"B": 2, "D": 8, "F": 16, "G": 24, "H": 26}
    assert (found["B"].slack, found["T"].length) == (1, 4)


def test_namesakes_are_told_apart_by_as_many_groups_as_it_takes() -> None:
    found = fields(
        "01  R.",
        "    05  A.",
        "        10  X  PIC X.",
        "        10  Y  PIC X.",
        "    05  B.",
        "        10  X  PIC X.",
        "        10  X  PIC X.",
    )
    assert [key for key in found if found[key].name in {"X", "Y"}] == ["A.X", "Y", "R.B.X", "R.B.X-2"]


def test_levels_are_nested_by_number_not_by_layout() -> None:
    (record,) = records("01 R.", "02 A.", "  49 B PIC X.", "02 C PIC X.", "77 D PIC X(3).")[:1]
    assert [(item.name, len(item.path)) for item in record.walk()] == [("R", 1), ("A", 2), ("B", 3), ("C", 2)]


def test_several_01_levels_each_start_at_zero() -> None:
    assert [(record.name, record.length) for record in records("01 A PIC X(3).", "01 B.", "   05 C PIC 9.")] == [
        ("A", 3),
        ("B", 1),
    ]


def test_items_without_an_01_get_one_named_after_the_copybook() -> None:
    (record,) = parse_copybook("           05 A PIC X.\n           05 B PIC X.\n", name="lib/cust-rec.cpy").records
    assert (record.name, record.length) == ("CUST-REC", 2)


def test_renames_and_constants_take_no_storage() -> None:
    lines = ["01 R.", "    05 A PIC X.", "    05 B PIC X.", "66 C RENAMES A THRU B.", "78 D VALUE 7."]
    copybook = parse_copybook("".join(f"       {line}\n" for line in lines))
    assert [record.length for record in copybook.records] == [2]
    assert copybook.constants == (("D", "7"),)


SOURCE = """\
000100* A COMMENT IN COLUMN SEVEN
000200 01  CUST-REC EXTERNAL.                                           IGNORED
000300     05  CUST-ID          PIC 9(5).  *> a floating comment. PIC X.
000400/
       EJECT
       SKIP2
000500D    05  DEBUG-ONLY       PIC X(99).
000600     05  cust-name\tpic x(10) value 'A LONG LITERAL THAT RUNS TO THE
000700-    'LAST COLUMN'.
000800     05  CUST-
000900-    KIND                 PIC X, VALUE SPACE;.
"""


def test_reference_format_decides_what_belongs_to_the_program() -> None:
    (record,) = parse_copybook(SOURCE).records
    assert [(item.name, item.offset, item.length) for item in record.walk()] == [
        ("CUST-REC", 0, 16),
        ("CUST-ID", 0, 5),
        ("CUST-NAME", 5, 10),
        ("CUST-KIND", 15, 1),
    ]
    assert [item.line for item in record.walk()] == [2, 3, 8, 10]


def test_line_ends_and_the_end_of_file_mark_of_other_systems_are_read_over() -> None:
    assert records("01 R.\r", "   05 A PIC X.\r", "\x1a")[0].length == 1
