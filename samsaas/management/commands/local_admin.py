"""`manage.py local_admin NAME`: an administrator with a password, whatever else signs people in."""

from __future__ import annotations

from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from samsaas import audit
from samsaas.accounts import edit


class Command(BaseCommand):
    help = "Create an administrator, or make an account one again, and set its password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user name to sign in with")

    def handle(self, *args: Any, **options: Any) -> None:
        name: str = options["name"]
        password = getpass(f"New password for {name}: ")
        if password != getpass("The same again: "):
            raise CommandError("The two passwords are not the same. Nothing was changed.")
        try:
            edit.check_name(name)
            validate_password(password)
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from None
        is_new = edit.make_local_admin(name, password, run_by=audit.command_line(), now=timezone.now())
        self.stdout.write(f"{name} {'was created as' if is_new else 'is'} an administrator, with the new password.")
