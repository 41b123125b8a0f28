"""`manage.py new_field_key`: a key for FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.core.management import BaseCommand


class Command(BaseCommand):
    help = "Print a new key. Put it first in FIELD_ENCRYPTION_KEYS, before the old ones, then run rotate_field_keys."
    requires_system_checks: list[str] = []  # they need a key, and this makes the first one

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(Fernet.generate_key().decode())
