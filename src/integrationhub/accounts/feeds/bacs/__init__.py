"""The judge of the connector `bacs`: collections, unpaid items, and what banks say of mandates (payments.md §1, §2)."""

from collections.abc import Mapping

from integrationhub.accounts.book import Book
from integrationhub.accounts.calendar import Calendar
from integrationhub.accounts.feeds.bacs.collections import Collections
from integrationhub.accounts.feeds.bacs.mandates import Mandates
from integrationhub.accounts.feeds.bacs.returns import Returns
from integrationhub.accounts.matching import Matcher
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Judge, Unit, Verdict
from integrationhub.sdk.units import Options


class BacsJudge:
    """Judges the three forms of the connector."""

    def __init__(self, *, matcher: Matcher, calendar: Calendar) -> None:
        self._forms: Mapping[str, Judge] = {
            "bacs_lines": Collections(matcher=matcher, calendar=calendar),
            "bacs_returns": Returns(),
            "bacs_advices": Mandates(matcher=matcher),
        }

    def wants(self, unit: Unit) -> Wanted:
        """What its form looks up."""
        return self._forms[unit.kind].wants(unit)

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """The verdict by the rules of its form."""
        return self._forms[unit.kind].judge(unit, book)


def build(options: Options) -> BacsJudge:
    """The judge with the calendar that the connector brings."""
    calendar = Calendar.parse(options.text(options.values["bank_holidays"]))
    return BacsJudge(matcher=Matcher(synthetic=options.synthetic_identities), calendar=calendar)
