"""Runs benchmarks by name, all of them without one; prints each and writes it to benchmarks/results/ as JSON.

A benchmark is a module of this package with a function `run(scale) -> Iterator[Result]`, named in BENCHMARKS.
"""

import argparse
import sys
from importlib import import_module

from benchmarks.machine import machine_line
from benchmarks.results import Result, save, shown

BENCHMARKS = {
    "arrears": "judging 1993 cases at sizes that grow tenfold, and again when the next book has hardly changed",
    "benefits": "a book of benefit debts loaded in full, and what a delta of one per cent of it costs",
    "decode": "mainframe files to Arrow tables, against reading and translating their bytes and against other readers",
    "decode_memory": "`integrationhub decode` of 100 MB and of 2 GB: memory must not grow with the file",
    "ingest": "the 1993 extract, from file to merged rows, on SQLite and PostgreSQL, against writing the same rows",
    "mapping": "canonical rows by batch size, against a per-row function and expressions by hand",
    "transfer": "old cases moved on PostgreSQL: rehearsal, live run, comparison, and what 1.4 million would take",
    "taker": "messages from their bodies to a commit, by size of the batch, against the same statements alone",
    "messages": "messages from queue to commit, against the same transactions without a broker and against task queues",
    "payments": "a bank statement of 200,000 entries, against bare expat and xmllint on the same file",
    "startup": "commands that answer at once, against an empty Python program",
}
"""Name of the module → what is measured, in the order in which they run."""

RECORDS = 1_000_000


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Speed, as ratios to limits of the same run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; all when none is named")
    parser.add_argument(
        "--records", type=int, default=RECORDS, help="records of the generated files (default: %(default)s)"
    )
    wanted = parser.parse_args()
    unknown = sorted(set(wanted.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for name in wanted.names or BENCHMARKS:
        sys.stdout.write(f"\n{name}: {BENCHMARKS[name]}\n{machine_line()}\n")
        results: list[Result] = []
        for result in import_module(f"benchmarks.{name}").run(wanted.records):
            sys.stdout.write(shown(result))
            sys.stdout.flush()
            results.append(result)
        save(name, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
