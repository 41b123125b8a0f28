"""The time zone in which a person sees moments: read for each request, and chosen on the page of the own account."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from samsaas import audit
from samsaas.models import PersonalZone


def read_stored(account: User) -> str:
    """The name of the chosen zone; empty for the installation's. One query."""
    return PersonalZone.objects.filter(pk=account.pk).values_list("zone", flat=True).first() or ""


@transaction.atomic
def run(account: User, zone: str) -> None:
    """Store the choice; empty goes back to the installation's zone."""
    before = read_stored(account)
    if zone == before:
        return
    if zone:
        PersonalZone.objects.update_or_create(account=account, defaults={"zone": zone})
    else:
        PersonalZone.objects.filter(account=account).delete()
    audit.record(account, "changed own time zone", account, before=before, after=zone)
