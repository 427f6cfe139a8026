"""The Django application that owns every table."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Tables of program, shop, till, reader, member, card, tap and ledger."""

    name = "besnik.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"
