# Puts new settings and certificates in the place of the old ones, whole wherever the power goes.
# Loaded by provision.py alone.

import os

from firmware import config
from micropython import const

_SETTINGS = const("config.json")
_FOLDER = const("cert")
# How files are named that wait until all are there; the settings get this name last.
_NEW = const(".new")
_PART = const(".part")
_CERTIFICATES = const(("ca.der", "reader.der", "reader.key"))


# Writes checked files. Wherever the power goes, the reader has afterwards what it had or all that
# is new: what is old goes when the new is complete, and resume() goes on from there. No name goes
# from one folder into another: when the power goes in the middle of that, littlefs shows neither
# that file nor the next one until something is written.
def write(files):
    _sweep()
    _make(_FOLDER)
    for name, data in files.items():
        if name != _SETTINGS:
            _put(_FOLDER + "/" + name + _NEW, data)
    _put(_SETTINGS + _PART, files[_SETTINGS])
    os.rename(_SETTINGS + _PART, _SETTINGS + _NEW)
    resume()


# Puts what is complete in its place; what is not complete goes. True if anything was.
def resume():
    is_complete = _exists(_SETTINGS + _NEW)
    if is_complete:
        if _exists(_SETTINGS):
            os.remove(_SETTINGS)
        for name in _CERTIFICATES:
            path = _FOLDER + "/" + name
            if _exists(path + _NEW):
                os.rename(path + _NEW, path)
        os.rename(_SETTINGS + _NEW, _SETTINGS)
    _sweep()
    return is_complete


def _sweep():
    # What would make it complete goes first.
    paths = [_SETTINGS + _NEW, _SETTINGS + _PART]
    for path in paths + [_FOLDER + "/" + name + _NEW for name in _CERTIFICATES]:
        if _exists(path):
            os.remove(path)


def _exists(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def _make(folder):
    if not _exists(folder):
        os.mkdir(folder)


def _put(path, data):
    with open(path, "wb") as file:
        file.write(data)
    with open(path, "rb") as file:
        if file.read() != data:
            raise config.ConfigError("the flash is worn out: take another board")
