"""The demo's accounts: one for each role and named after it, so that anybody can try what each of them may do."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.db import transaction

from samsaas import roles
from samsaas.demo.home import readable_password


@transaction.atomic
def make() -> dict[str, str]:
    """Name -> password of the accounts made; none where there are accounts already. The passwords are kept nowhere."""
    if User.objects.exists():
        return {}
    passwords = {role: readable_password() for role in roles.ROLES}
    for role, password in passwords.items():
        create = User.objects.create_superuser if role == roles.ADMIN else User.objects.create_user
        create(role, password=password).groups.add(Group.objects.get(name=role))
    return passwords
