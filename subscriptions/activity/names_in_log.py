"""Account ids and addresses that alone named somebody in the log, as digests.

Use with the id of a seat is not noted: it leads to its seat whatever that is called.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.db.models import QuerySet

from profiles.models import IntegrationProfile
from subscriptions.models import NameInLog

ACCOUNT, ADDRESS = "account", "address"
SLICE = 500  # SQLite takes few parameters
Name = tuple[str, str]  # what it is, and the account id or the address as it is compared


def note(profile: IntegrationProfile, names: Iterable[Name]) -> None:
    """Note names of a batch. Call it in the transaction that looks for their seats."""
    rows = [NameInLog(profile=profile, team_id=profile.team_id, digest=digest(name)) for name in set(names)]
    NameInLog.objects.bulk_create(rows, batch_size=SLICE, ignore_conflicts=True)


def are_any(profile: IntegrationProfile) -> bool:
    """Whether the log of the profile's team ever named somebody so."""
    return _of_team(profile).exists()


def find(profile: IntegrationProfile, names: Iterable[Name]) -> set[Name]:
    """Those of the names that the log of the profile's team holds alone."""
    known = {digest(name): name for name in names}
    digests, found = list(known), set[str]()
    for start in range(0, len(digests), SLICE):
        rows = _of_team(profile).filter(digest__in=digests[start : start + SLICE])
        found.update(rows.values_list("digest", flat=True))
    return {known[one] for one in found}


def digest(name: Name) -> str:
    """The names of people who have no seat are no concern of ours, so no name is kept itself."""
    return hashlib.blake2b("\n".join(name).encode(), digest_size=16).hexdigest()


def _of_team(profile: IntegrationProfile) -> QuerySet[NameInLog]:
    return NameInLog.objects.filter(profile=profile, team_id=profile.team_id)
