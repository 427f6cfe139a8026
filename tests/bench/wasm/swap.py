# As reader.py; and the files of a release are being put in their places.

from firmware import app, board

reader = app.start(board)
app.forget("app")
del app

from firmware import swap  # noqa: E402

reader.errand = swap.Errand(reader, 7)
# What it holds meanwhile.
wanted = [f"b/firmware/module{number:02}.mpy" for number in range(40)]
