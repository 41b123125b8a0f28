"""Find the person behind every seat of a profile with the user resolution rules, in their order.

1. Mark the seats that exclusion rules exclude. They count nowhere and are matched with nobody.
2. Update the matches made by rules. Matches made by hand stay.
3. Count the seats with and without a user. Those without are the work list *Subscriptions without user*.

A rule costs one statement, however many seats there are. E-mail is never identity: an address that two people share
matches nobody, and neither does an unverified address, unless a rule allows it. People who left come after those
who are here: see `subscriptions.users`.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from profiles.jobs.job import Job, LeaseLost
from subscriptions import seats_changed
from subscriptions.exclusions import exclude
from subscriptions.matching import resolve
from subscriptions.models import Subscription
from subscriptions.users.find import rules_for


def run(job: Job, *, now: datetime) -> None:
    """Match the seats of the job's profile. Raises `LeaseLost` if the profile was deleted."""
    profile = job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    job.progress(step="Matching people")
    with transaction.atomic():
        exclude.mark_seats(profile, now=now)
        changes = resolve.update_matches(rules_for(profile), profile, now=now)
        seats = Subscription.objects.filter(profile=profile).current()
        total, matched = seats.count(), seats.filter(match__isnull=False).count()
        counters = {
            "seen": total,
            "matched": matched,
            "by_hand": seats.filter(match__isnull=False, match__rule=None).count(),
            "without_user": total - matched,
            "matched_anew": changes.new,
            "matched_otherwise": changes.changed,
            "unmatched_now": changes.gone,
            "excluded": Subscription.objects.filter(profile=profile).left_out().count(),
        }
        seats_changed.note(profile.pk)
        job.progress(counters=counters, items=total, step="Matched")
