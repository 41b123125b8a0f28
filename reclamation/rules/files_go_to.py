"""Where the files of removed members would go by a rule as it is now, for each profile it judges."""

from __future__ import annotations

from dataclasses import dataclass

from profiles.models import IntegrationProfile
from profiles.oauth import scopes
from reclamation.models import ReclamationRule
from reclamation.rules.scope import Scope
from subscriptions.models import Subscription


@dataclass(frozen=True)
class FilesGoTo:
    """The destination in one profile, in words. `is_known` is False where nobody could receive files today."""

    profile: IntegrationProfile
    text: str
    is_known: bool = True
    address: str = ""


def describe_destinations(rule: ReclamationRule, scope: Scope) -> list[FilesGoTo]:
    """One line for each profile that has subscriptions of the rule. Three queries for each."""
    return [_describe(rule, standing.profile) for standing in scope.standings]


def _describe(rule: ReclamationRule, profile: IntegrationProfile) -> FilesGoTo:
    if rule.destination == rule.Destination.MANAGER:
        return FilesGoTo(profile, "the account of the user’s manager in the same team")
    if rule.destination == rule.Destination.NAMED:
        account = rule.destination_external_id
    else:
        credential = scopes.reclamation_admin(profile)
        account = credential.admin_external_id if credential else ""
        if not account:
            return FilesGoTo(profile, "nobody: it is not known which administrator connected the profile", False)
    seat = Subscription.objects.listed().filter(profile=profile, external_id=account).first()
    if seat is None:
        return FilesGoTo(profile, f"nobody: the account {account} is no member of this team", False)
    return FilesGoTo(profile, seat.title, address=seat.email if seat.email != seat.title else "")
