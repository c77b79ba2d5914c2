"""Bank files for tests, written with what is said and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.unit.bank.world import ACCOUNT, IBAN

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.{version}"
_KINDS = {
    "052": ("BkToCstmrAcctRpt", "Rpt"),
    "053": ("BkToCstmrStmt", "Stmt"),
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


def money(pence: int) -> str:
    """Pounds."""
    return f"{pence // 100}.{pence % 100:02}"


def part(text: str = "", *, pence: int | None = None, e2e: str | None = "NOTPROVIDED", more: str = "") -> str:
    """A transaction of an entry."""
    amount = "" if pence is None else f'<AmtDtls><TxAmt><Amt Ccy="GBP">{money(pence)}</Amt></TxAmt></AmtDtls>'
    refs = "" if e2e is None else f"<Refs><EndToEndId>{e2e}</EndToEndId></Refs>"
    remittance = f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf>" if text else ""
    return f"<TxDtls>{refs}{amount}{remittance}{more}</TxDtls>"


def entry(
    pence: int = 1000,
    side: str = "CRDT",
    *,
    amount: str | None = None,
    currency: str = "GBP",
    status: str | None = "BOOK",
    code: bool = False,
    returned: str | None = None,
    ref: str | None = None,
    day: str = "2026-03-10",
    dates: str | None = None,
    family: str | None = None,
    batch: str | None = None,
    parts: Sequence[str] = (),
    more: str = "",
) -> str:
    """An entry."""
    sts = "" if status is None else f"<Sts><Cd>{status}</Cd></Sts>" if code else f"<Sts>{status}</Sts>"
    days = f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>" if dates is None else dates
    kind = f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{family}</Cd></Fmly></Domn></BkTxCd>" if family else ""
    bulk = f"<Btch><MsgId>{batch}</MsgId></Btch>" if batch else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount or money(pence)}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        + (f"<RvslInd>{returned}</RvslInd>" if returned else "")
        + sts
        + days
        + (f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else "")
        + kind
        + f"<NtryDtls>{bulk}{''.join(parts)}</NtryDtls>{more}</Ntry>"
    )


def balance(code: str, pence: int, *, currency: str = "GBP") -> str:
    """A balance."""
    side = "CRDT" if pence >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{money(abs(pence))}</Amt><CdtDbtInd>{side}</CdtDbtInd></Bal>'
    )


@dataclass(kw_only=True)
class Statement:
    """A camt statement: `opening` and `closing` in pence, or None to leave them out."""

    entries: Sequence[str] = ()
    opening: int | None = 0
    closing: int | None = 0
    name: str = "S1"
    number: int | str | None = 1
    page: tuple[int, bool] | None = None
    account: str = f"<IBAN>{IBAN}</IBAN>"
    summary: str = ""
    balances: str = ""
    kind: str = "053"

    def __str__(self) -> str:
        _, part_name = _KINDS[self.kind]
        paging = ""
        if self.page is not None:
            number, last = self.page
            page = f"<PgNb>{number}</PgNb><LastPgInd>{str(last).lower()}</LastPgInd>"
            paging = f"<{part_name}Pgntn>{page}</{part_name}Pgntn>"
        return (
            f"<{part_name}><Id>{self.name}</Id>{paging}"
            + ("" if self.number is None else f"<ElctrncSeqNb>{self.number}</ElctrncSeqNb>")
            + f"<Acct><Id>{self.account}</Id></Acct>"
            + ("" if self.opening is None else balance("OPBD", self.opening))
            + ("" if self.closing is None else balance("CLBD", self.closing))
            + self.balances
            + (f"<TxsSummry>{self.summary}</TxsSummry>" if self.summary else "")
            + "".join(self.entries)
            + f"</{part_name}>"
        )


def document(*statements: Statement, version: str = "02", kind: str | None = None) -> str:
    """A camt file."""
    of = kind or statements[0].kind
    message, _ = _KINDS[of]
    space = NAMESPACE.format(kind=of, version=version)
    body = "".join(str(statement) for statement in statements)
    head = "<GrpHdr><MsgId>M1</MsgId></GrpHdr>"
    prolog = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{prolog}\n<Document xmlns="{space}"><{message}>{head}{body}</{message}></Document>'


def statement(*entries: str, net: int, opening: int = 0, name: str = "S1", number: int = 1, version: str = "02") -> str:
    """A file with one statement on one page, whose entries change the balance by `net`."""
    return document(
        Statement(entries=entries, opening=opening, closing=opening + net, name=name, number=number), version=version
    )


def notification(*entries: str, name: str = "N1") -> str:
    """A file with one notification."""
    return document(Statement(entries=entries, opening=None, closing=None, name=name, number=None, kind="054"))


def mt940(
    *lines: str,
    opening: str = "C260313GBP0,",
    closing: str = "C260313GBP0,",
    number: str = "00001/001",
    name: str = "MT1",
    account: str = ACCOUNT,
    first: bool = True,
    last: bool = True,
    end: str = "-\n",
) -> str:
    """An MT940 file. `lines`: from `:61:` on."""
    heading = f":20:{name}\n:25:{account}\n:28C:{number}\n:60{'F' if first else 'M'}:{opening}\n"
    return heading + "".join(f"{line}\n" for line in lines) + f":62{'F' if last else 'M'}:{closing}\n{end}"
