# Runs the reader. In a slot of its own, so that an update can replace it; start.py is what calls
# it, and what catches its failures.

import asyncio

from firmware import app, board

reader = app.start(board)
app.forget("app")
del app
asyncio.run(reader.run())
