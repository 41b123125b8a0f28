"""The accounts that can receive the files of removed members: active, verified, and not to be removed themselves."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from reclamation.models import ReclamationRule, RemovalCandidate
from subscriptions.models import Subscription, SubscriptionIdentifier

MOST_FOUND = 20


def possible_accounts(rule: ReclamationRule) -> QuerySet[Subscription]:
    """The seats whose accounts can receive files for this rule."""
    open_ones = RemovalCandidate.objects.open().filter(subscription=OuterRef("pk"))
    active = _accounts_of_vendors(rule).filter(status=Subscription.Status.ACTIVE, email_verified=True)
    return active.filter(~Exists(open_ones))


def search(rule: ReclamationRule, text: str) -> list[tuple[str, str]]:
    """The first possible accounts by name that match the text, as choices."""
    found = possible_accounts(rule).search(text).select_related("profile").order_by("display_name", "pk")  # type: ignore[attr-defined]
    return [(seat.external_id, label_account(seat)) for seat in found[:MOST_FOUND]]


def find(rule: ReclamationRule, external_id: str) -> tuple[str, str] | None:
    """The account as a choice, whether or not it can receive files; None where no listed seat has this id."""
    seats = _accounts_of_vendors(rule).filter(external_id=external_id).select_related("profile")
    seat = seats.order_by("pk").first()
    return (external_id, label_account(seat)) if seat else None


def label_account(seat: Subscription) -> str:
    address = f", {seat.email}" if seat.email and seat.email != seat.title else ""
    return f"{seat.title}{address} ({seat.profile.display_name})"


def why_impossible(rule: ReclamationRule, external_id: str) -> str:
    """Why this account cannot receive files; empty where it can."""
    seats = _accounts_of_vendors(rule).filter(external_id=external_id)
    seat = seats.order_by("pk").first()
    if seat is None:
        return "No listed subscription has this account. Search for another one."
    if seat.status != Subscription.Status.ACTIVE:
        return f"{seat} is {seat.get_status_display().lower()}. Files go to active accounts only."
    if not seat.email_verified:
        return f"The address of {seat} is not verified. The vendor moves files to verified accounts only."
    if RemovalCandidate.objects.open().filter(subscription__in=seats).exists():
        return f"{seat} is a removal candidate itself. Choose an account that stays."
    return ""


def profiles_without(rule: ReclamationRule, external_id: str) -> list[str]:
    """The profiles with subscriptions of the rule whose team does not have this account: no files can go there."""
    seats = Subscription.objects.listed().filter(identifier__software_model=rule.software_model_id)
    has_it = Subscription.objects.listed().filter(profile=OuterRef("profile"), external_id=external_id)
    names = seats.filter(~Exists(has_it)).order_by("profile__display_name")
    return list(names.values_list("profile__display_name", flat=True).distinct())


def _accounts_of_vendors(rule: ReclamationRule) -> QuerySet[Subscription]:
    vendors = SubscriptionIdentifier.objects.filter(software_model=rule.software_model_id).values("vendor")
    return Subscription.objects.listed().filter(profile__vendor__in=vendors)
