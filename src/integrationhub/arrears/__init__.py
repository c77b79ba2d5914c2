"""Right arrears, or held with a reason: cases judged by the written rules (arrears-errors.md), over all books together.

persons    who is one person, which cases belong together        csa1993.md §7
book       a case group as the rules see it
rules/     findings and corrections, in the document's order      arrears-errors.md §2, §3
verdict    one outcome a case, with its figures                   §1
standing   segment, label, write-off class on a day               §4
casework   stored rows → book;  judging: what changed → verdicts → store
"""
