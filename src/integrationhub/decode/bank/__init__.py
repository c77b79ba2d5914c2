"""What banks say of accounts: statements and notifications (camt, MT940) and the status of payments (pain.002)."""
