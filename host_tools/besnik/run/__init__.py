"""``besnik run``: the whole shop on one machine, from the broker to a reader without a board."""
