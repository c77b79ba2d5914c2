"""What the entries of a statement come to. All amounts are exact (`amounts.SCALE`)."""

from dataclasses import dataclass

from integrationhub.decode.bank.amounts import TO_PENCE
from integrationhub.sdk.units import Booked


@dataclass(slots=True)
class Totals:
    """Counts and sums of entries: of all, and of those that are booked."""

    count: int = 0
    credit: int = 0
    debit: int = 0
    booked_credit: int = 0
    booked_debit: int = 0
    credits: int = 0  # number of booked ones
    debits: int = 0

    def add(self, amount: int, *, credit: bool, booked: bool, count: int = 1) -> None:
        """Add entries of one kind that come to an amount."""
        self.count += count
        if credit:
            self.credit += amount
        else:
            self.debit += amount
        if booked and credit:
            self.booked_credit += amount
            self.credits += count
        elif booked:
            self.booked_debit += amount
            self.debits += count

    @property
    def net(self) -> int:
        """What the booked entries change the balance by."""
        return self.booked_credit - self.booked_debit

    @property
    def outcomes(self) -> dict[str, int]:
        """What becomes of the entries by their standard alone: those that are not booked only announce something."""
        booked = self.credits + self.debits
        return {"LOADED": booked, "EXCLUDED": self.count - booked}

    @property
    def credited(self) -> Booked:
        """Booked credits, in pence."""
        return Booked(count=self.credits, pence=self.booked_credit // TO_PENCE)

    @property
    def debited(self) -> Booked:
        """Booked debits, in pence."""
        return Booked(count=self.debits, pence=self.booked_debit // TO_PENCE)


def together(totals: list[Totals]) -> Totals:
    """The totals of several statements as one."""
    names = ("count", "credit", "debit", "booked_credit", "booked_debit", "credits", "debits")
    return Totals(**{name: sum(getattr(one, name) for one in totals) for name in names})
