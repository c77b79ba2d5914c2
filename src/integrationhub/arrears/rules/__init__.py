"""The rules of arrears-errors.md §3, one module a kind of evidence. `verdict` runs them in the document's order.

A rule takes cases, notes findings on them, and corrects their ledgers where it is of class AUTO. No rule corrects
anything that the document does not say.
"""
