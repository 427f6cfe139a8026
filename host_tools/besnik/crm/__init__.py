"""The customer records behind the bridge: one protocol, several adapters."""
