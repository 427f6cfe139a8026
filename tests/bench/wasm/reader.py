# As main.py does: the reader, built and not running.

from firmware import app, board

reader = app.start(board)
app.forget("app")
del app
