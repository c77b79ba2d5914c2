"""Generated 1993 estates, kept between runs outside the checkout: the same code and size give the same files."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from integrationhub import decode, estate
from integrationhub.catalogue import Catalogue
from integrationhub.estate.csa1993_file import encoder_for
from integrationhub.estate.generate import generate
from integrationhub.estate.nights import Estate

CACHE = "BENCHMARKS_CACHE"
SEED = 7
_RECORDS_PER_GROUP = 55.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The data files of an estate in the order of its nights."""

    folder: Path
    nights: tuple[Path, ...]


def cache_folder() -> Path:
    """Where files are kept: the folder that the environment names, or one below the system's for temporary files."""
    folder = Path(os.environ.get(CACHE) or Path(tempfile.gettempdir()) / "integrationhub-benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def extract(records: int, *, nights: str = "F") -> Files:
    """An estate of about so many records, first as a whole book, then again for each later night (F, C)."""
    groups = round(records / _RECORDS_PER_GROUP)
    folder = cache_folder() / f"csa1993-{groups}-{SEED}-{nights or 'one'}-{_code_digest()}"
    if not folder.exists():
        part = folder.with_suffix(f".{os.getpid()}")
        shutil.rmtree(part, ignore_errors=True)
        encoder = encoder_for(Catalogue.standard().connector("csa1993"))
        generate(part, Estate(groups=groups, seed=SEED, kinds=nights), encoder)
        part.rename(folder)
    return Files(folder=folder, nights=tuple(sorted(folder.glob("*.dat"))))


def _code_digest() -> str:
    """Changes whenever the generator, the encoder or the layout does."""
    roots = [Path(package.__path__[0]) for package in (estate, decode)]
    sources = sorted(path for root in roots for path in root.rglob("*.py"))
    digest = sha256(Catalogue.standard().connector("csa1993").copybook_text.encode())
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
