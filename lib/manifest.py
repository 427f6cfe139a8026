# For who builds a MicroPython image: include("…/lib/manifest.py") freezes this library into it.
# ruff: noqa: F821 - metadata and module are words of MicroPython's manifest files.

metadata(version="0.1.0", description="RC522 and the cards it can read", license="MIT")
for name in (
    "classic.py",
    "clock.py",
    "ecp.py",
    "iso14443.py",
    "isodep.py",
    "mfrc522.py",
    "mfrc522_selftest.py",
    "type2.py",
    "type4.py",
):
    module(name)
