"""The page of reason codes: those that connectors give to the checks, and those that the code itself raises."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import integrationhub
from docs.generate.tables import document, table
from integrationhub import errors
from integrationhub.catalogue import Catalogue, Shelf, shipped_connectors

SOURCE = Path(integrationhub.__file__).parent
CHECKS = {
    "trigger": "the trigger file is unreadable, incomplete, or contradicts the data file",
    "repeated": "the same bytes were accepted before: nothing changes",
    "reused": "an accepted sequence number comes again with other content",
    "gap": "an earlier sequence number is missing: the file waits",
    "size": "the data file has another size than stated",
    "hash": "the data file has another SHA-256 than stated",
    "framing": "the bytes can't be cut into whole records",
    "record_type": "a record type, or the header's identification, is not of this feed",
    "length": "a record has another length than its type and counts give",
    "order": "records stand in an order that the layout forbids, or a key is repeated",
    "count": "a count of the trailer is wrong",
    "total": "a control total differs, or can't be proved",
    "field": "a field can't be decoded, or holds what its document does not allow",
    "waiting": "the trigger file is there, its data file is not: it waits",
    "empty": "the data file has no bytes",
    "limit": "more bytes come out of the compressed file than stated or allowed",
    "oversize": "more bytes come out of the compressed file than stated or allowed",
    "damaged": "the compressed file or the XML in it is damaged",
    "doctype": "the document has a DOCTYPE",
    "root": "the document's root element is not of this feed",
    "invalid": "the document is not valid against its schema, or an identifier stands in it twice",
    "control": "the document's own control differs from what was counted",
    "heading": "the heading, the number of fields or the encoding of a row is wrong",
    "disagreement": "the two keyings of a case don't agree, or are not two by two clerks",
    "unreadable": "a typed field can't be read in either keying",
    "exception": "the code under which such a case waits for a person",
}
"""What each check of a descriptor judges, for all connectors alike."""

MEANINGS = {
    "CODE_UNKNOWN": "a code that is not in its list",
    "COUNT_INVALID": "a count outside the range of its table",
    "DATE_INVALID": "no date of the calendar",
    "DECOMPRESS_ERROR": "a compressed file that is damaged, or holds fewer bytes than stated",
    "DIGITS_INVALID": "anything but digits where digits must stand",
    "EDITED_INVALID": "anything but a number in a numeric edited field",
    "EV": "two change events claim the same number of a case",
    "FEED_STOPPED": "an earlier file of this feed was refused: this one waits",
    "FLOAT_INVALID": "a floating point field that is infinite or no number",
    "MONEY_FORMAT": "an amount of money that is not written as its feed writes them",
    "PACKED_INVALID": "a DISPLAY or packed number with a bad digit or sign",
    "POISON": "a message with which worker processes died, each time it was tried alone",
    "QUEUE_UNAVAILABLE": "the broker can't serve a queue at the moment",
    "SIGNED_OFF": "groups that were signed off can't be backed out",
    "SQL_NOT_ALLOWED": "an expression uses what mapping specs may not use",
    "TEXT_CONTROL_CHAR": "a control character in a text",
}
"""What codes mean whose text is put together elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """A code that stands in the source: what carries it, where, and the first words said with it."""

    code: str
    carrier: str
    module: str
    text: str


def page() -> str:
    """All reason codes."""
    parts: list[str | list[str]] = [
        "# Reason codes",
        "Codes are stable: programs may rely on them. Texts are for people and may change; they never hold a value.",
    ]
    for name, codes in connector_codes().items():
        parts += [
            f"## Connector `{name}`",
            table(("code", "given when"), [(f"`{code}`", CHECKS[check]) for check, code in codes]),
        ]
    rows = [(f"`{item.code}`", item.carrier, item.text, f"`{item.module}`") for item in coded()]
    parts += ["## Of the hub itself", table(("code", "ends as", "says, or what to do", "in"), rows)]
    return document(*parts)


def connector_codes() -> dict[str, list[tuple[str, str]]]:
    """Connector → (check, code) in the order of the checks, of what is shipped."""
    shelf = Shelf(origin="shipped", folder=shipped_connectors())
    return {
        found.name: [*found.delivery.codes.model_dump().items(), *found.check_codes.model_dump().items()]
        for found in Catalogue([shelf]).connectors()
    }


def coded() -> list[Coded]:
    """Every code that is written out in the source, once, sorted; the estate's are codes of the records it invents."""
    found: dict[str, Coded] = {}
    for path in sorted(set(SOURCE.rglob("*.py")) - set((SOURCE / "estate").rglob("*.py"))):
        for item in _in_module(path):
            if item.code not in found or not found[item.code].text:
                found[item.code] = item
    return [found[code] for code in sorted(found)]


def _in_module(path: Path) -> Iterator[Coded]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = _assigned(tree.body)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    scopes: list[ast.AST] = [*functions, *(node for node in tree.body if isinstance(node, ast.Assign))]
    for scope in scopes:
        known = {**constants, **_assigned(ast.walk(scope))}
        for call in [node for node in ast.walk(scope) if isinstance(node, ast.Call)]:
            code, carrier, said = _parts(call, known)
            if code.isupper() and ast.unparse(call.func) != "Hold":  # a hold's code is no reason
                text = MEANINGS.get(code) or next(filter(None, (_resolved(part, known) for part in said)), "")
                yield Coded(code=code, carrier=carrier, module=path.relative_to(SOURCE.parent).as_posix(), text=text)


def _parts(call: ast.Call, known: dict[str, ast.expr]) -> tuple[str, str, list[ast.expr | None]]:
    """Code, carrier and the arguments that may be the text.

    These stand in `Error(text, code=…)`, or in a row of a table of meanings, `Row(Error, code, remedy)`.
    """
    arguments = {keyword.arg: keyword.value for keyword in call.keywords}
    if "code" not in arguments and len(call.args) > 1 and (carrier := _error(call.args[0])):
        return _resolved(call.args[1], known), carrier, [*call.args[2:]]
    carrier = _error(call.func) or ("a reason" if ast.unparse(call.func) == "Reason" else "a fault")
    return _resolved(arguments.get("code"), known), carrier, [arguments.get("text"), *call.args]


def _error(node: ast.expr) -> str:
    """An error of the hub with its exit code, also for a function that makes one; empty for anything else."""
    name = node.id if isinstance(node, ast.Name) else ""
    error: object = getattr(errors, _makers().get(name, name), None)
    if isinstance(error, type) and issubclass(error, errors.HubError):
        return f"{error.__name__}, exit {error.exit_code}"
    return ""


@cache
def _makers() -> dict[str, str]:
    """Functions to the class that they return, by their annotations."""
    return {
        node.name: ast.unparse(node.returns)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.returns
    }


def _assigned(nodes: Iterable[ast.AST]) -> dict[str, ast.expr]:
    """Names to what they are set to, where that is one name."""
    return {
        node.targets[0].id: node.value
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def _resolved(node: ast.expr | None, constants: dict[str, ast.expr]) -> str:
    """A text that is written out, with … for what is filled in; empty when it is made elsewhere."""
    if isinstance(node, ast.Name):
        return _resolved(constants.get(node.id), {})  # one step: a name that is set from a name is made elsewhere
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp):
        return (_resolved(node.left, constants) or "…") + (_resolved(node.right, constants) or "…")
    return ""
