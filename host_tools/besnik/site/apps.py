"""The Django application of the pages."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Pages, their static files and their catalogues of translations."""

    name = "besnik.site"
    label = "site"
