"""Workbooks exported as CSV in which every case was keyed twice: read strictly, compared, decoded to columns."""
