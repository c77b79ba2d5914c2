"""The evidence of a transfer: everything an auditor needs, signed, the same bytes whenever it is made again."""
