"""What several rooms' tests start: a broker, a database, Besnik's own processes."""
