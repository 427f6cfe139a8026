"""Log lines are pairs a program can take apart, and name nobody."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from besnik.bridge import log


def test_values_are_quoted_when_they_need_it() -> None:
    line = log.pairs("bad_input", reason="too_large", text='a "b"\nc', empty="", number=3)
    assert line == 'event=bad_input reason=too_large text="a \\"b\\"\\nc" empty="" number=3'


def test_a_librarys_values_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    try:
        log.to_stderr()
        logging.getLogger("besnik.bridge").info(log.pairs("hello", n=1))
        try:
            raise ValueError("04A1B2C3D4E580")
        except ValueError:
            logging.getLogger("gmqtt.x").exception("invalid: %s", b"04A1B2C3D4E580")
        logging.getLogger("gmqtt.x").warning("only errors")
    finally:
        root.handlers[:] = kept
        root.setLevel(level)
        logging.getLogger("besnik").setLevel(logging.NOTSET)
    ours, theirs = capsys.readouterr().err.splitlines()
    assert ours.endswith("level=info event=hello n=1")
    assert 'event=library logger=gmqtt.x text="invalid: %s" error=ValueError' in theirs
    assert "04A1" not in theirs


async def test_an_error_that_nobody_caught_is_placed_and_not_quoted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(payload: bytes) -> None:
        raise ValueError(payload)

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.crash)
    loop.call_soon(fail, b"04A1B2C3D4E580")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    loop.call_exception_handler({"message": "04A1B2C3D4E580"})
    first, second = (record.getMessage() for record in caplog.records)
    assert re.fullmatch(r"event=crash error=ValueError at=test_log.py:\d+", first)
    assert second == "event=crash"
