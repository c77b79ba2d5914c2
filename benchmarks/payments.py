"""A bank statement of 200,000 entries: decoded, and judged alone, against bare expat and xmllint on the same file."""

import shutil
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.parsers import expat

from benchmarks.child import run_apart
from benchmarks.estates import cache_folder
from benchmarks.results import MIB, Result, Rival
from integrationhub.catalogue import Catalogue
from integrationhub.decode.units import camt
from integrationhub.intake.units.alone import StandaloneCheck
from integrationhub.records import DecodedBatch
from integrationhub.sdk.units import FileFacts, FileInHand, Options

ENTRIES = 200_000
MOST_MEMORY = 200 * MIB
ACCOUNT = "GB00TEST00009900012345"
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"


def run(records: int) -> Iterator[Result]:
    """One result for each way to read the file; the limits are measured beside them."""
    entries = min(records, ENTRIES)
    path = cache_folder() / f"camt053-{entries}.xml"
    if not path.exists():
        write(path, entries)
    rivals = [Rival(name="bare pyexpat", rate=entries / _bare(path), limit=True, goal=0.20, stretch=0.30)]
    if (xmllint := shutil.which("xmllint")) is not None:
        rivals.append(Rival(name="xmllint --stream", rate=entries / _timed(lambda: _lint(xmllint, path))))
    for name, function in {"decoded to tables": "decode", "judged alone": "judge"}.items():
        found = run_apart(f"benchmarks.payments:{function}", path=str(path))
        yield Result(
            name=name,
            workload=f"camt.053, {entries:,} entries, {path.stat().st_size / 1e6:,.0f} MB, one process",
            unit="entries",
            rate=entries / found["seconds"],
            seconds=found["seconds"],
            rows=entries,
            bytes=path.stat().st_size,
            peak_bytes=int(found["peak_bytes"]),
            peak_limit_bytes=MOST_MEMORY,
            rivals=rivals,
        )


def decode(path: str) -> dict[str, object]:
    """Seconds to all tables; runs apart."""
    decoder = camt.build(Options(connector="bank-statements", folder=Path(), values={"accounts": [ACCOUNT]}))
    now = datetime(2026, 3, 10, tzinfo=UTC)
    file = FileInHand(name="", named={}, size=0, sha256="", records=None, received_at=now)
    started = time.perf_counter()
    with Path(path).open("rb") as stream:
        facts = _facts(decoder.decode(stream, file))
    seconds = time.perf_counter() - started
    assert facts.structure is None, facts.structure
    assert facts.control is None, facts.control
    return {"seconds": seconds}


def _facts(reading: Generator[DecodedBatch, None, FileFacts]) -> FileFacts:
    """What a decoder says at the end of its pieces."""
    while True:
        try:
            next(reading)
        except StopIteration as end:
            facts: FileFacts = end.value
            return facts


def judge(path: str) -> dict[str, object]:
    """Seconds to the report of `check --standalone`; runs apart."""
    check = StandaloneCheck(Catalogue.standard().connector("bank-statements"))
    started = time.perf_counter()
    report = check.judge(Path(path))
    assert report.verdict.value == "ACCEPTED", report.reasons
    return {"seconds": time.perf_counter() - started}


def write(path: Path, entries: int) -> None:
    """A statement like those of banks: a few templates, a name that must be escaped now and then."""
    amounts = [number % 99_999 + 1 for number in range(entries)]
    closing = 1_000_000 + sum(amounts)
    with path.with_suffix(".part").open("w", encoding="utf-8") as target:
        target.write(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt><GrpHdr>'
            "<MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id><ElctrncSeqNb>1</ElctrncSeqNb>"
            f"<Acct><Id><IBAN>{ACCOUNT}</IBAN></Id></Acct>{_balance('OPBD', 1_000_000)}{_balance('CLBD', closing)}"
            f"<TxsSummry><TtlNtries><NbOfNtries>{entries}</NbOfNtries></TtlNtries></TxsSummry>"
        )
        target.writelines(_entry(number, pence) for number, pence in enumerate(amounts, start=1))
        target.write("</Stmt></BkToCstmrStmt></Document>")
    path.with_suffix(".part").replace(path)


def _entry(number: int, pence: int) -> str:
    name = "Smith &amp; Sons" if number % 50 == 0 else f"Payer {number}"
    text = f"<Ustrd>PAYMENT DM{number:010}</Ustrd>"
    if number % 7 == 0:
        text = f"<Strd><CdtrRefInf><Ref>DM{number:010}</Ref></CdtrRefInf></Strd>"
    return (
        f'<Ntry><Amt Ccy="GBP">{_pounds(pence)}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
        "<BookgDt><Dt>2026-03-10</Dt></BookgDt><ValDt><Dt>2026-03-10</Dt></ValDt>"
        f"<AcctSvcrRef>AS{number:010}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>E2E-{number}</EndToEndId></Refs><RltdPties><Dbtr><Nm>{name}</Nm></Dbtr>"
        f"</RltdPties><RmtInf>{text}</RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def _balance(code: str, pence: int) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="GBP">{_pounds(pence)}</Amt>'
        "<CdtDbtInd>CRDT</CdtDbtInd></Bal>"
    )


def _pounds(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02}"


def _bare(path: Path) -> float:
    """Seconds of expat without a single handler: what no reader in Python that uses it can pass."""

    def parse() -> None:
        parser = expat.ParserCreate()
        with path.open("rb") as stream:
            parser.ParseFile(stream)

    return min(_timed(parse) for _ in range(3))


def _lint(xmllint: str, path: Path) -> None:
    subprocess.run([xmllint, "--stream", "--noout", str(path)], check=True)


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
