"""Bacs files for tests: submissions in Standard 18 and advices in XML, sound unless said otherwise."""

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

NAME = "BACS18.000101.txt"
USER = "999901"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A data line."""

    code: str = "17"
    pence: int = 1000
    reference: str = "DM0010000017"
    day: str = " 26068"
    payer: str = "TEST PAYER"

    def text(self, *, multi: bool) -> str:
        """The line of 100 characters, of 106 in a file of several days."""
        start = f"00008800054321{0}{self.code}00009900012345{'':4}{self.pence:011d}"
        return f"{start}{'SYNTHETIC DEBT SVC':18}{self.reference:18}{self.payer:18}{self.day if multi else ''}"


def labels(*, multi: bool = False, serial: str = "000101", user: str = USER, date: str = " 26068") -> list[str]:
    """VOL1, HDR1, HDR2, UHL1."""
    work = "4 MULTI  " if multi else "1 DAILY  "
    return [
        f"{f'VOL1{serial}':41}{user}{'':32}1",
        f"{f'HDR1A{user}S':80}",
        f"{'HDR2F02000' + ('00106' if multi else '00100'):80}",
        f"{f'UHL1{date}999999    00000000{work}001':80}",
    ]


def trailers(lines: list[Line]) -> list[str]:
    """EOF1, EOF2, UTL1 with the figures of the lines."""
    credit = [line.pence for line in lines if line.code == "99"]
    debit = [line.pence for line in lines if line.code != "99"]
    totals = f"UTL1{sum(debit):013d}{sum(credit):013d}{len(debit):07d}{len(credit):07d}"
    return [f"{'EOF1':80}", f"{'EOF2':80}", f"{totals:80}"]


def submission(*lines: Line, multi: bool = False, end: str = "\n", **label: str) -> bytes:
    """A whole submission."""
    data = [line.text(multi=multi) for line in lines]
    whole = [*labels(multi=multi, **label), *data, *trailers(list(lines))]
    return (end.join(whole) + end).encode()


def item(**given: str) -> str:
    """An unpaid item of an ARUDD."""
    values = {
        "ref": "DM0010000017", "transCode": "17", "returnCode": "0128", "returnDescription": "REFER TO PAYER",
        "originalProcessingDate": "2026-03-09", "valueOf": "10.00", "currency": "GBP",
    } | given  # fmt: skip
    payer = '<PayerAccount number="00054321" ref="X" name="TEST PAYER" sortCode="00-00-88"/>'
    return f"<ReturnedDebitItem {_attributes(values)}>{payer}</ReturnedDebitItem>"


def arudd(
    *items: str, number: str = "001", day: str = "2026-03-16", user: str = USER, totals: tuple[int, str] | None = None
) -> bytes:
    """An ARUDD advice with right totals of items of £10, unless they are given."""
    count, value = totals or (len(items), f"{len(items) * 10}.00")
    return (
        f'<BACSDocument><Data><ARUDD><Header reportType="REFT1019" adviceNumber="{number}" '
        f'currentProcessingDate="{day}"/><ServiceLicenseInformation userNumber="{user}"/><Advice>'
        f"<OriginatingAccountRecords><OriginatingAccountRecord>{''.join(items)}"
        f'<Totals numberOf="{count}" valueOf="{value}" currency="GBP"/></OriginatingAccountRecord>'
        f"</OriginatingAccountRecords></Advice></ARUDD></Data><Signature>c3lu</Signature></BACSDocument>"
    ).encode()


def messaging(kind: str, *advices: dict[str, str], user: str = USER) -> bytes:
    """An advice of ADDACS or AUDDIS."""
    header = {
        "user-number": user, "advice-type": kind, "report-type": "7001", "report-generation-date": "2026-03-18",
        "envelope-sequence-number": "1",
    }  # fmt: skip
    usual = {
        "record-type": {"ADDACS": "A", "AUDDIS": "N"}.get(kind, "V"), "reference": "DM0010000017", "reason-code": "1",
        "effective-date": "2026-03-18", "payer-name": "TEST PAYER", "payer-sort-code": "000088",
        "payer-account-number": "00054321", "aosn": "1",
    }  # fmt: skip
    elements = "".join(f"<MessagingAdvice {_attributes(usual | given)}/>" for given in advices)
    return (
        f"<BACSDocument><Data><MessagingAdvices><MessagingHeader {_attributes(header)}/>{elements}<MessagingError/>"
        "</MessagingAdvices></Data></BACSDocument>"
    ).encode()


def _attributes(values: dict[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())
