"""What banks say: entries of accounts, statements and their pages, the status of payments (payments.md §3 to §5)."""
