# As reader.py; and a doctor is there, who looks at the wiring.

from firmware import app, board

reader = app.start(board)
app.forget("app")
del app

import mfrc522_selftest  # noqa: E402, F401 - for as long as the chip tests itself
from firmware import doctor  # noqa: E402

reader.errand = doctor.Errand(reader, b'{"id":"0a1b2c-1","do":"wiring"}')
