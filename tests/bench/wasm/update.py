# As reader.py; and a release is being loaded.

from firmware import app, board

reader = app.start(board)
app.forget("app")
del app

from firmware import update  # noqa: E402

reader.errand = update.Errand(reader, (7, ""))
