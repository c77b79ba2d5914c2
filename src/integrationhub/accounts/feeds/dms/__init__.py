"""Debt manager: what the records of its extracts mean for debts (debt-manager.md).

record → checks (§2, §3) → debts (§5) → judge (§4)
"""

from integrationhub.accounts.feeds.dms.judge import DebtManagerJudge
from integrationhub.sdk.units import Options


def build(options: Options) -> DebtManagerJudge:
    """The judge of the feed (`sdk.units`)."""
    return DebtManagerJudge(synthetic=options.synthetic_identities)
