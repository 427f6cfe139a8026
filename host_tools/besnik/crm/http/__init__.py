"""One adapter for every CRM that speaks JSON over HTTP: a TOML mapping says how to ask it."""
