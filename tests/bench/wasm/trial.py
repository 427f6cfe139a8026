# As reader.py; and a release is being tried.

from firmware import app, board

reader = app.start(board)
app.forget("app")
del app

from firmware import trial  # noqa: E402

reader.errand = trial.Errand(reader, None)
