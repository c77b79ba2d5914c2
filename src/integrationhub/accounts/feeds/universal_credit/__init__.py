"""Universal Credit: what its messages mean for debts and receipts (universal-credit.md §4 to §8).

message → versions (§4), checks (§7) → debts (§8), deductions (§6) → judge
"""

from integrationhub.accounts.feeds.universal_credit.judge import UniversalCreditJudge
from integrationhub.sdk.units import Options


def build(options: Options) -> UniversalCreditJudge:
    """The judge of the feed (`sdk.units`)."""
    return UniversalCreditJudge(synthetic=options.synthetic_identities)
