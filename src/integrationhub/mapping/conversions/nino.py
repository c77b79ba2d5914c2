r"""National Insurance numbers: the number as recorded, what it is worth, and whether it may join records (DOMAIN.md).

A number is normalised first: upper case, no blanks. Its form is two letters, six digits and a suffix A–D that may be
missing. D F I Q U V are in neither letter, O is not the second; BG GB KN NK NT TN ZZ are no prefixes. OO CR FY MW NC PP
PY PZ are administrative, TN is temporary (arrears-errors.md E12). QQ is nobody's; it counts in the synthetic profile
only. Digits are written [0-9], as \d would match those of any script.
"""

import polars as pl

from integrationhub.mapping.conversions.result import Converted, Environment
from integrationhub.mapping.spec import Conversion

_FORM = r"^[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z][0-9]{6}[A-D]?$"
_NEVER_ISSUED = r"^(?:BG|GB|KN|NK|NT|TN|ZZ)"
_ADMINISTRATIVE = r"^(?:OO|CR|FY|MW|NC|PP|PY|PZ)"
_SYNTHETIC = r"^QQ[0-9]{6}[A-D]?$"


def number(source: pl.Expr, _options: Conversion, _environment: Environment) -> Converted:
    """The number in upper case without blanks, whatever it is worth; null where it is blank."""
    plain = _normalised(source)
    return Converted(value=pl.when(plain != "").then(plain), dtype=pl.String(), needed=False)


def status(source: pl.Expr, _options: Conversion, environment: Environment) -> Converted:
    """ABSENT, TEMPORARY, ADMINISTRATIVE, UNVERIFIED or INVALID. Only a check with CIS makes a number VERIFIED."""
    plain = _normalised(source)
    value = (
        pl.when(plain == "")
        .then(pl.lit("ABSENT"))
        .when(plain.str.starts_with("TN"))
        .then(pl.lit("TEMPORARY"))
        .when(plain.str.contains(_ADMINISTRATIVE))
        .then(pl.lit("ADMINISTRATIVE"))
        .when(_well_formed(plain, environment))
        .then(pl.lit("UNVERIFIED"))
        .otherwise(pl.lit("INVALID"))
    )
    return Converted(value=value, dtype=pl.String(), needed=False)


def usable(source: pl.Expr, _options: Conversion, environment: Environment) -> Converted:
    """May the number join records of one person: well-formed and not administrative (csa1993.md §7)."""
    plain = _normalised(source)
    value = _well_formed(plain, environment) & ~plain.str.contains(_ADMINISTRATIVE)
    return Converted(value=value, dtype=pl.Boolean(), needed=False)


def _normalised(source: pl.Expr) -> pl.Expr:
    return source.fill_null("").str.replace_all(r"[\s\x00]", "").str.to_uppercase()


def _well_formed(plain: pl.Expr, environment: Environment) -> pl.Expr:
    real = plain.str.contains(_FORM) & ~plain.str.contains(_NEVER_ISSUED)
    return real | plain.str.contains(_SYNTHETIC) if environment.synthetic_identities else real
