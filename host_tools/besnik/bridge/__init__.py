"""Taps in by MQTT, verdicts out: decode, credential, customer records, ledger, answer."""
