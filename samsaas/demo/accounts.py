"""The demo's accounts: one for each role, named after it."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.db import transaction

from samsaas import roles
from samsaas.demo.home import readable_password


@transaction.atomic
def create_accounts() -> dict[str, str]:
    """Create the accounts unless there are any. Returns name -> password; the plain passwords are not stored.

    A colleague of the story, who cannot sign in, is none.
    """
    if User.objects.filter(username__in=roles.ROLES).exists():
        return {}
    passwords = {role: readable_password() for role in roles.ROLES}
    for role, password in passwords.items():
        create = User.objects.create_superuser if role == roles.ADMIN else User.objects.create_user
        create(role, password=password).groups.add(Group.objects.get(name=role))
    return passwords
