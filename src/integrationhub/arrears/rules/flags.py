"""Findings of class FLAG: they stand beside any outcome and never change it."""

from integrationhub.arrears.book import ADJUSTMENT, CLERICAL, OPEN, RECEIPT, Case
from integrationhub.arrears.rules.charges import relationship_open


def doubted(case: Case) -> None:
    """E01 (b): an officer's doubt that E01 (a) has not borne out. To be called after it."""
    if case.queried and "E01" not in case.codes("AUTO"):
        case.find("E01", "FLAG", "an officer has doubted the assessment, and nothing shows it wrong")


def flags(case: Case) -> None:
    """Note all other flags of a case, whose ledger must be as it was sent."""
    if any(role.party.nino_unusable for role in case.roles):
        case.find("E12", "FLAG", "a person's National Insurance number is temporary, administrative or malformed")
    _unknown_dates(case)
    if case.system != CLERICAL:  # of whose flags clerical.md §4 names no others
        _people(case)


def _people(case: Case) -> None:
    """E04 (a), E10 (d), E11 (a)."""
    if any(role.party.doubled for role in case.roles):
        case.find("E04", "FLAG", "a person of the case has two identifiers in this system")
    if case.orphan_role:
        case.find("E10", "FLAG", "a party role of this source group names a case that is not in the file")
    if case.liability_end not in {None, OPEN} and relationship_open(case):
        case.find("E11", "FLAG", "liability has ended, and a relationship is open")


def _unknown_dates(case: Case) -> None:
    """E06 (c): dates that nothing rests on."""
    for line in case.lines:
        if line.posted_unknown or (line.kind in {RECEIPT, ADJUSTMENT} and line.effective_unknown):
            case.find("E06", "FLAG", f"line {line.number}: a posting, adjustment or value date is not known")
    if any(role.unknown for role in case.roles):
        case.find("E06", "FLAG", "a birth or role date is not known")
    if any(event.unknown for event in [*case.events, *case.group_events]):
        case.find("E06", "FLAG", "the date of a contact or enforcement step is not known")
    if case.clerical and case.clerical.dates_unknown:
        case.find("E06", "FLAG", "a date of the clerical record is not known")
