"""Program rules and ledger arithmetic. Pure: no database, no I/O."""
