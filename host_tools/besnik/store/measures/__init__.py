"""What the figures of a shop rest on, counted by the database and not row by row."""
