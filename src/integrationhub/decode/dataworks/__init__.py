"""Messages of the dataworks kind: an envelope around one encrypted record of a document database (universal-credit.md).

envelope (§2, §4) → sealed (§3) → record (§4, §5) → payloads (§6)
"""
