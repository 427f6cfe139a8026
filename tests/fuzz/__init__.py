"""Property-based tests of the device's code against cards, phones and hosts that keep no rules."""
