"""`integrationhub decode`: records of a mainframe file as JSON lines, CSV or Parquet."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from integrationhub.cli.export import target_file

if TYPE_CHECKING:
    from integrationhub.decode.copybook import Copybook
    from integrationhub.decode.dump import DumpRules
    from integrationhub.decode.segments import SegmentRules

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
NUMBER = click.IntRange(min=0)


def _choice(name: str, values: Sequence[str], text: str, default: str | None = None) -> Decorator:
    return click.option(name, type=click.Choice(values), default=default, show_default=default is not None, help=text)


def _path(name: str, text: str, **more: Any) -> Decorator:
    return click.option(name, type=click.Path(path_type=Path), help=text, **more)


def _group(*decorators: Decorator) -> Decorator:
    """Several options as one, in the order of `--help`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for one in reversed(decorators):
            command = one(command)
        return command

    return decorate


_layout_options = _group(
    _path("--copybook", "The copybook that describes the records.", required=True),
    _path("--copy-path", "Where COPY looks for NAME and NAME.cpy; may be given several times.", multiple=True),
    click.option("--encoding", default="cp1146", show_default=True, metavar="CODEPAGE", help="A code page, or ascii."),
)
_framing_options = _group(
    _choice("--record-format", ("F", "FB", "V", "VB", "D"), "How records follow; D is line-sequential.", "F"),
    click.option("--record-length", type=click.IntRange(min=1), help="Bytes of an F record (default: the copybook's)."),
    click.option("--record-length-field", metavar="NAME", help="The field that holds the record's length."),
    _choice("--rdw", ("big", "little", "u32", "none"), "The record descriptor word of V and VB.", "big"),
    click.option("--rdw-adjustment", type=int, default=0, help="Added to the record length that is read."),
    _choice("--bdw", ("big", "little", "none"), "The block descriptor word of VB (default: big)."),
    click.option("--bdw-adjustment", type=int, default=0, help="Added to the block length that is read."),
    click.option("--file-start-offset", type=NUMBER, default=0, help="Bytes in front of the first record."),
    click.option("--file-end-offset", type=NUMBER, default=0, help="Bytes behind the last record."),
    click.option("--record-start-offset", type=NUMBER, default=0, help="Bytes in front of each record's data."),
    click.option("--record-end-offset", type=NUMBER, default=0, help="Bytes behind each record's data."),
)
_segment_options = _group(
    click.option("--segment-field", metavar="NAME", help="The field of the first 01 level that tells segments apart."),
    click.option("--segment", multiple=True, metavar="GROUP=VALUE[,VALUE…]", help="The records that use a group."),
    click.option("--segment-parent", multiple=True, metavar="CHILD=PARENT", help="Nest one below the other."),
)
_value_options = _group(
    _choice("--odo", ("shift", "max"), "Whether OCCURS DEPENDING ON moves what stands behind it.", "shift"),
    _choice("--signs", ("ibm", "strict"), "ibm: A C E F plus, B D minus; strict: C D F only.", "ibm"),
    _choice("--floats", ("ibm", "ieee"), "The format of COMP-1 and COMP-2.", "ibm"),
    _choice("--trim", ("both", "left", "right", "none"), "Which blanks of text are cut off.", "both"),
    _choice("--fillers", ("keep", "drop"), "Whether fillers are shown.", "drop"),
    _choice("--where-invalid", ("null", "reject"), "An invalid value: null, or the record is left out.", "null"),
)
_output_options = _group(
    _choice("--to", ("jsonl", "csv", "parquet"), "What is written.", "jsonl"),
    click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write (default: stdout)."),
    click.option("--first", type=click.IntRange(min=1), default=1, help="Begin with this record, found by an index."),
    click.option("--limit", type=NUMBER, help="Write so many records at the most."),
)


@click.command()
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=Path))
@_layout_options
@_framing_options
@_segment_options
@_value_options
@_output_options
def decode(paths: tuple[Path, ...], copybook: Path, copy_path: tuple[Path, ...], **options: Any) -> None:
    """Write the records of mainframe files.

    A JSON line is one record, as the copybook nests it, with its number, offset and length; what can't be read is null
    and named in `_errors`. A file that can't be cut into records further ends the command with the offset.
    """
    from integrationhub.decode.dump import FileDump, check_rules
    from integrationhub.errors import NotFound

    layout = _copybook(copybook, copy_path)
    rules = _rules(options)
    check_rules(rules, options["to"])
    dump = FileDump(layout, rules, _report)
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise NotFound(f"no file {', '.join(missing)}", code="FILE_MISSING", remedy="name a data file")
    with target_file(options["out"]) as target:
        dump.write(paths, options["to"], target)


def _copybook(path: Path, folders: Sequence[Path]) -> "Copybook":
    from integrationhub.decode.copybook import parse_copybook
    from integrationhub.decode.copybook.library import copy_folders, read_copybook
    from integrationhub.errors import NotFound

    text = read_copybook(path)
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        raise NotFound(f"no folder {', '.join(missing)}", code="COPY_PATH_MISSING", remedy="correct --copy-path")
    return parse_copybook(text, name=path.name, library=copy_folders([*folders, path.parent]))


def _rules(options: dict[str, Any]) -> "DumpRules":
    from integrationhub.decode.codepage import code_page
    from integrationhub.decode.columns import Reading
    from integrationhub.decode.dump import DumpRules
    from integrationhub.decode.nested import Showing
    from integrationhub.decode.recordfile import RecordFormat

    form = RecordFormat(
        kind=options["record_format"],
        length_field=options["record_length_field"],
        bdw=options["bdw"],
        file_start=options["file_start_offset"],
        file_end=options["file_end_offset"],
        record_start=options["record_start_offset"],
        record_end=options["record_end_offset"],
        **{name: options[name] for name in ("record_length", "rdw", "rdw_adjustment", "bdw_adjustment")},
    )
    reading = Reading(
        page=code_page(options["encoding"], multibyte=True),
        edited="number",
        missing="null",
        **{name: options[name] for name in ("signs", "floats", "trim")},
    )
    showing = Showing(
        fillers=options["fillers"] == "keep",
        odo=options["odo"],
        segments=_segments(options),
        steady=options["to"] != "jsonl",
    )
    return DumpRules(
        form=form,
        reading=reading,
        showing=showing,
        reject=options["where_invalid"] == "reject",
        first=options["first"],
        limit=options["limit"],
    )


def _segments(options: dict[str, Any]) -> "SegmentRules":
    from integrationhub.decode.segments import SegmentRules

    values: dict[str, list[str]] = {}
    for name, found in (_pair("--segment", text) for text in options["segment"]):
        values.setdefault(name.upper(), []).extend(found.split(","))
    parents = [_pair("--segment-parent", text) for text in options["segment_parent"]]
    name = options["segment_field"]
    return SegmentRules(
        field=None if name is None else name.upper(),
        values=values,
        parents={child.upper(): parent.upper() for child, parent in parents},
    )


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise click.UsageError(f"{option} takes NAME=VALUE")
    return name.strip(), value.strip()


def _report(record: int, offset: int, fields: Sequence[str]) -> None:
    click.echo(f"integrationhub: record {record} at offset {offset} is left out: {', '.join(fields)}", err=True)
