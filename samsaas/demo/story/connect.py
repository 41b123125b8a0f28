"""Connect the story's team: a profile, the app's key, and a grant as if its administrator had pressed Allow."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from profiles.aliases import choose as aliases
from profiles.connection import credentials
from profiles.connectors import base, tokens
from profiles.models import IntegrationProfile, OAuthState
from profiles.oauth import grants
from reclamation.models import ReclamationRule
from reclamation.rules import edit_rule
from samsaas import audit
from samsaas.demo.story.sandbox_part import SandboxPart
from subscriptions.models import SoftwareModel, SubscriptionIdentifier

NAME = "Alder & Finch Books"
READ_BEFORE = timedelta(days=95)
# What the vendor's add-ons are: the connector does not know them, so a colleague maps them to software models.
ADD_ONS = {"sign": ("Dropbox Sign", "Standard"), "docsend": ("DocSend", "Advanced"), "replay": ("Dropbox Replay", "")}


def run(vendor: SandboxPart, *, by: User, now: datetime) -> IntegrationProfile:
    """The connected profile; its validation is queued."""
    profile = IntegrationProfile.objects.create(
        vendor="dropbox",
        display_name=NAME,
        alias=aliases.free_alias("dropbox", NAME),
        analyze_activity_from=now - READ_BEFORE,
        created_by=by,
    )
    credentials.save_client(profile.alias, base.SUBSCRIPTIONS, vendor.client_id, vendor.client_secret)
    audit.record(by, "created profile", profile, alias=profile.alias.name, vendor=profile.vendor)
    map_add_ons()
    access, refresh = vendor.give_tokens()
    granted = tokens.Grant(
        access_token=access, refresh_token=refresh, scopes=vendor.scopes, team_id=vendor.team.team_id
    )
    attempt = OAuthState(profile=profile, purpose=base.SUBSCRIPTIONS, created_at=now + timedelta(minutes=1))
    grants.store(attempt, granted, grants.Identity(team=None, admin=None), user=by, now=now)
    return profile


def map_add_ons() -> None:
    """Every add-on has its software model."""
    for identifier, (product, edition) in ADD_ONS.items():
        model = SoftwareModel.objects.find_or_make("Dropbox", product, edition)
        SubscriptionIdentifier.objects.create(vendor="dropbox", identifier=identifier, software_model=model)


def review_rules(*, by: User, now: datetime) -> None:
    """A colleague has read every rule."""
    for rule in ReclamationRule.objects.order_by("pk"):
        edit_rule.review(rule, by=by, now=now, legal_hold_checked=True)
