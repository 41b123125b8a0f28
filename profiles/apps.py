"""The app that knows tenants, credentials and job runs."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ProfilesConfig(AppConfig):
    name = "profiles"

    def ready(self) -> None:
        from profiles import checks  # noqa: F401, PLC0415 - models must be loaded first
        from profiles.aliases import choose as aliases  # noqa: F401, PLC0415 - models must be loaded first

        post_migrate.connect(aliases.ensure_parents, sender=self)
