"""The old schemes' arithmetic: charges, assessments, balances. Pure: no clock, no store, no files."""
