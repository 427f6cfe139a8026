"""How passwords and PINs are hashed."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class SmallArgon2(Argon2PasswordHasher):
    """Argon2id with OWASP's first choice of parameters: 46 MiB, one pass, one lane.

    Django's own take 100 MiB and eight lanes, a tenth of the memory of a small machine for each
    log-in. Source: cheatsheetseries.owasp.org, Password Storage, Argon2id.
    """

    time_cost = 1
    memory_cost = 47_104
    parallelism = 1
