"""Code lists: CSV in, codes by day out, and everything wrong with a list told at once."""

from datetime import date

from integrationhub.mapping.codes import CodeList

HEADING = "source,canonical,title,valid_from,valid_to,owner\n"


def test_a_list_says_what_a_code_means_on_a_day() -> None:
    codes = CodeList.parse(
        "status",
        HEADING + "A,ACTIVE,active,,,team\n"
        "S,HELD,stopped,,2009-12-31,team\nS,CLOSED,stopped for good,2010-01-01,,team\n,UNKNOWN,blank,,,team\n",
    )

    assert codes.faults == ()
    assert codes.at(date(2009, 12, 31)) == {"A": "ACTIVE", "S": "HELD", "": "UNKNOWN"}
    assert codes.at(date(2010, 1, 1)) == {"A": "ACTIVE", "S": "CLOSED", "": "UNKNOWN"}
    assert sorted(codes.turns()) == [date(2010, 1, 1), date(2010, 1, 1)]


def test_more_columns_are_allowed() -> None:
    codes = CodeList.parse("x", "source,canonical,title,valid_from,valid_to,owner,remark\nA,B,t,,,team,why\n")

    assert codes.at(date(2020, 1, 1)) == {"A": "B"}


def test_every_fault_of_a_list_is_told_with_its_line() -> None:
    codes = CodeList.parse(
        "status",
        HEADING + "A,ACTIVE,active,,,team\nB,,nothing,,,team\nC,CLOSED,closed,01/02/2010,,team\n"
        "D,DEAD,dead,2010-01-02,2010-01-01,team\nE,ENDED,ended\nA,OTHER,again,,,team\nF,FOUND,no owner,,,\n",
    )

    assert [fault.split(":")[0] for fault in codes.faults] == [
        "code list status, line 3", "code list status, line 4", "code list status, line 5", "code list status, line 6",
        "code list status, line 8", "code list status",
    ]  # fmt: skip
    assert "two meanings" in codes.faults[-1]


def test_a_list_without_its_columns_has_no_codes() -> None:
    codes = CodeList.parse("status", "from,to\nA,B\n")

    assert codes.codes == ()
    assert codes.faults == (
        "code list status: column source, canonical, title, valid_from, valid_to, owner is missing",
    )
