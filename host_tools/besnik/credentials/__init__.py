"""Evidence from a tap becomes a card reference and an assurance tier. Pure: no I/O."""
