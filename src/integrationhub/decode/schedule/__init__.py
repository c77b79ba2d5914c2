"""Spreadsheets that employers send as CSV: many encodings and headings, one table (employer-deductions.md §1)."""
