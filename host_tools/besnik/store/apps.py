"""The Django application that owns every table."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate

from besnik.store.append_only import protect_after, release_before


class StoreConfig(AppConfig):
    """Tables of program, shop, till, reader, member, card, tap and ledger."""

    name = "besnik.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Keep what the database refuses in step with its tables."""
        pre_migrate.connect(release_before, sender=self)
        post_migrate.connect(protect_after, sender=self)
