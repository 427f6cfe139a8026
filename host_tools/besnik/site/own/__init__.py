"""What the member's own page says."""
