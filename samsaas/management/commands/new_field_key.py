"""`manage.py new_field_key`: a key for FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.core.management import BaseCommand


class Command(BaseCommand):
    help = "Print a new key. Put it first in FIELD_ENCRYPTION_KEYS, keep the old ones behind it, then rotate."
    requires_system_checks: list[str] = []  # the first key is made before there is any

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(Fernet.generate_key().decode())
