"""Who owes a debt: whether a number that came with a receipt is one of theirs."""

from integrationhub.accounts import nino
from integrationhub.accounts.matching import Match


def is_somebody_elses(match: Match, number: str | None) -> bool:
    """Whether the debt that a reference named is owed by people with other numbers.

    A receipt without a number, or a debt whose debtor has none, says nothing.
    """
    debt = match.debt
    if debt is None or debt.nino is None or number is None or not match.by_reference:
        return False
    owing = [debt.nino, *(person.nino for person in debt.joint)]
    return not any(nino.same_person(nino.compact(number), own) for own in owing)
