"""The virtual counter: RC522 model, cards, LED and buzzer, and the shims the firmware runs on."""
