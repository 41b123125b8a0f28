"""The project as an app, and Django's admin as its Core UI."""

from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.core.management import call_command
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class SamsaasConfig(AppConfig):
    name = "samsaas"
    default = True

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in  # noqa: PLC0415 - models must be loaded first

        from samsaas import audit, checks, reauthenticate, record_sign_ins, roles, sessions  # noqa: F401, PLC0415
        from samsaas.lib import fold  # noqa: PLC0415

        connection_created.connect(fold.teach)
        post_migrate.connect(roles.ensure_groups, sender=self)
        post_migrate.connect(audit.protect_entries, sender=self)
        post_migrate.connect(create_cache_table, sender=self)
        user_logged_in.connect(reauthenticate.note_password)
        user_logged_in.connect(sessions.note_owner)
        record_sign_ins.connect()


def create_cache_table(using: str = "default", **kwargs: Any) -> None:
    """The table of settings.CACHES, which no migration knows. Does nothing if it is there."""
    call_command("createcachetable", database=using, verbosity=0)


class CoreUIConfig(admin_apps.AdminConfig):
    default = False
    default_site = "samsaas.core_ui.CoreUISite"
