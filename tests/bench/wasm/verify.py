# As reader.py; and a signature is being checked.

from firmware import app, board

reader = app.start(board)
app.forget("app")
del app

from firmware import verify  # noqa: E402

reader.errand = verify.Errand(reader, 7)
# The key's number, the power so far and the next one, in digits as verify.py has them.
numbers = [[int.from_bytes(bytes([at + 1]) * 96, "big") for _ in range(4)] for at in range(3)]
