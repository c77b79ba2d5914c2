"""The judge of the connector `bank-statements`: entries, statements, status of payments (payments.md §3 to §5)."""

from collections.abc import Mapping

from integrationhub.accounts.book import Book
from integrationhub.accounts.feeds.bank.entries import Entries
from integrationhub.accounts.feeds.bank.statements import Statements
from integrationhub.accounts.feeds.bank.statuses import Statuses
from integrationhub.accounts.matching import Matcher
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.sdk.units import Options


class BankJudge(Statements):
    """Judges the two forms of the connector, and its files."""

    def __init__(self, *, matcher: Matcher) -> None:
        self._forms: Mapping[str, Entries | Statuses] = {
            "bank_entries": Entries(matcher=matcher),
            "payment_statuses": Statuses(),
        }

    def wants(self, unit: Unit) -> Wanted:
        """What its form looks up."""
        return self._forms[unit.kind].wants(unit)

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """The verdict by the rules of its form."""
        return self._forms[unit.kind].judge(unit, book)


def build(options: Options) -> BankJudge:
    """The judge; what is ours the decoders know."""
    return BankJudge(matcher=Matcher(synthetic=options.synthetic_identities))
