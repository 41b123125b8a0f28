"""`manage.py new_audit_key`: a key for AUDIT_SIGNING_KEY, and what has to stay of the one before."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from secrets import token_bytes
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand

from samsaas.lib import signatures

OLD = """Before you replace the present key, add its public key to AUDIT_PUBLIC_KEYS, so that its seals stay verifiable:
{public}
The new key:"""


class Command(BaseCommand):
    help = "Print a new AUDIT_SIGNING_KEY on standard output, and on standard error what to keep of the present one."
    requires_system_checks: list[str] = []  # they may fail for the key that this replaces

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.AUDIT_SIGNING_KEY:
            try:
                present = signatures.signing_key().public
            except ImproperlyConfigured as problem:
                self.stderr.write(str(problem))
            else:
                self.stderr.write(OLD.format(public=",".join([*settings.AUDIT_PUBLIC_KEYS, present.text])))
        self.stdout.write(urlsafe_b64encode(token_bytes(signatures.KEY_BYTES)).decode())
