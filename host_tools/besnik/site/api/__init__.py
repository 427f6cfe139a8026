"""The tills' API under ``/api/v1/``: the verbs of `besnik.store.till` for other software."""
