"""Reconciliation on a path of its own: kept originals read again, compared with what the hub holds, field by field.

Nothing here shares code with the load: not its decoders, not its mappings, not its store's merges (import-linter holds
us to it). What both misread alike they would have to misread twice, in two programs, from the same document.
"""
