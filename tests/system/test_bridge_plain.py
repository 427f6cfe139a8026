"""A bridge of a shop whose readers speak without TLS says so once, in its log."""

from __future__ import annotations

from support.bridge import BridgeRunner


def test_plain_mqtt_is_a_warning_in_the_log(bridges: BridgeRunner) -> None:
    text = bridges.settings_file.read_text()
    bridges.settings_file.write_text(text.replace("[broker]", "[broker]\nplain = true"))
    (line,) = [line for line in bridges.start().log.splitlines() if "plain_mqtt" in line]
    assert "level=warning" in line
    assert "besnik fleet ca" in line


def test_with_certificates_there_is_none(bridges: BridgeRunner) -> None:
    assert "plain_mqtt" not in bridges.start().log
