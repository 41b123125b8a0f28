"""Note that facts of a profile's seats have changed, so that they are counted again: call it where they are changed."""

from __future__ import annotations

from django.utils import timezone

from subscriptions.models import SeatsChanged


def note(*profiles: int | None) -> None:
    """Note it for these profiles, by their keys. The beat counts them within seconds of the commit."""
    now = timezone.now()
    SeatsChanged.objects.bulk_create(SeatsChanged(profile_id=key, at=now) for key in {*profiles} if key is not None)
