"""What benefit, payment and event feeds mean for debts: their units judged in order against the book of accounts.

Pure: no clock, no database. A judge is given one unit at a time and the `Book`, which holds what the store knows of the
debts, receipts and people concerned and collects what the judges change.

unit → judges (feeds/) → book → store.accounts
"""
