"""The Django application of the pages."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Pages, their static files and their catalogues of translations."""

    name = "besnik.site"
    label = "site"

    def ready(self) -> None:
        """Have every log-in noted, whoever asks for it."""
        from besnik.site import sessions

        sessions.note_log_ins()
