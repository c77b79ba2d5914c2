"""What the files of one night say of themselves, and their names (csa1993.md §1, csa2003.md §1, clerical.md §1)."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a file says of itself; `as_at` is the last day it knows of, the run is in the following night."""

    sequence: int
    as_at: date
    correction: bool = False

    @property
    def run_date(self) -> date:
        """The day of the run, which is in the file's name."""
        return self.as_at + timedelta(1)

    def csa1993_name(self) -> str:
        """The name of the CSCS extract."""
        return f"CSCS.NIGHTLY.D{self.run_date:%Y%m%d}.S{self.sequence:06d}.dat"

    def csa2003_name(self) -> str:
        """The name of the CS2 extract."""
        return f"CS2.EXTRACT.D{self.run_date:%Y%m%d}.S{self.sequence:06d}.xml.gz"

    def clerical_name(self) -> str:
        """The name of the clerical export."""
        return f"CLERICAL_{self.run_date:%Y%m%d}_{self.sequence % 1_000:03d}.csv"
