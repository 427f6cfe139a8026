# Runs inside MicroPython: loads one test file, then runs the functions whose names come on stdin.
# Each answer is one line on stdout that begins with the record separator; the rest is output.

import asyncio
import gc
import io
import json
import os
import sys

_MARK = "\x1e"


def _report(outcome):
    print()
    print(_MARK + json.dumps(outcome))


def _traceback(error):
    text = io.StringIO()
    sys.print_exception(error, text)
    return text.getvalue()


def _run(function):
    result = function()
    # An async function gives a generator-like object; a plain one gives None.
    if hasattr(result, "send"):
        asyncio.new_event_loop()
        asyncio.run(result)


def main():
    module_name = sys.argv[1]
    try:
        module = __import__(module_name)
    except BaseException as error:
        _report({"loaded": False, "error": _traceback(error)})
        return
    _report({"loaded": True})
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        request = json.loads(line)
        os.chdir(request["folder"])
        gc.collect()
        try:
            _run(getattr(module, request["name"]))
        except BaseException as error:
            _report({"ok": False, "error": _traceback(error)})
        else:
            _report({"ok": True})


main()
