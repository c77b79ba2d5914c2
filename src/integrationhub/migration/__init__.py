"""Phased transfer of old scheme cases: plan, rehearse, approve, move, reconcile, sign off, or back out."""
