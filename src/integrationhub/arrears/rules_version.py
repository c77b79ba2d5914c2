"""The version of the rules that verdicts are made by: it changes with their code, so nobody has to think of it."""

from functools import cache
from hashlib import blake2b
from pathlib import Path

from integrationhub import arrears, schemes

_MODULES = ("arithmetic", "book", "casework", "judgement", "standing", "verdict")
"""What of `arrears` makes a verdict, beside the rules themselves."""


@cache
def rules_version() -> str:
    """A digest over the sources of rules, schemes, and what feeds them. Another one: every case is judged anew."""
    home, pure = (Path(package.__path__[0]) for package in (arrears, schemes))
    sources = [*(home / f"{name}.py" for name in _MODULES), *(home / "rules").glob("*.py"), *pure.glob("*.py")]
    digest = blake2b(digest_size=16)
    for source in sorted(sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()
