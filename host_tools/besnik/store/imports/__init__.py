"""Members and their opening balances from a file: read, checked, then taken over, once."""
