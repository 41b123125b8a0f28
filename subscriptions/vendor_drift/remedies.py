"""What a person should look at where the vendor counts otherwise, in a sentence with the pages for it."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from subscriptions import links
from subscriptions.vendor_drift.compare import Difference


@dataclass(frozen=True)
class NextStep:
    """What to do, and where."""

    label: str
    url: str


@dataclass(frozen=True)
class Remedy:
    sentence: str
    steps: tuple[NextStep, ...] = ()


def count_url(one: Difference) -> str:
    """The subscriptions of a profile that use a license, excluded ones too: the vendor bills them."""
    return links.list_url(profile=one.key, seats=links.ALL, license=links.BILLED)


def mend_use(one: Difference) -> Remedy:
    """Subscriptions that use a license here, against those that the vendor says are in use."""
    profile = NextStep("Open the profile", reverse("profile_detail", args=[one.key]))
    rows = NextStep("See what is counted here", count_url(one))
    if one.drift is None:
        return Remedy("The vendor has not said how many licenses are in use. Its next refresh may.", (profile,))
    if one.drift > 0:
        return Remedy(
            "More are listed than the vendor says are in use. Accounts removed since the last refresh are the "
            "usual reason: refresh the profile. If it stays, look for accounts that the vendor does not bill.",
            (profile, rows),
        )
    if one.drift < 0:
        return Remedy(
            "The vendor says that more are in use than it lists. Accounts added since the last refresh are the "
            "usual reason: refresh the profile. If it stays, ask the vendor which accounts it bills.",
            (profile, rows),
        )
    return Remedy("", (rows,))


def mend_rights(one: Difference) -> Remedy:
    """Rights of the entitlements in force, against the licenses that the vendor says were purchased."""
    recorded = NextStep("See the entitlements", f"{reverse('entitlement_list')}?state=in_use")
    if one.there is None:
        return Remedy("The vendor has not said how many licenses were purchased.", (recorded,))
    if one.here is None:
        return Remedy("An unlimited license is recorded, so there is no number to compare.", (recorded,))
    if one.drift and one.drift > 0:
        return Remedy(
            "More rights are recorded than the vendor says were purchased. A renewal without its link counts twice, "
            "and a block that was given back may still be in force: look at the terms, and link or retire.",
            (recorded,),
        )
    if one.drift:
        new = NextStep("Record an entitlement", reverse("entitlement_new"))
        return Remedy(
            "The vendor says that more licenses were purchased than are recorded. Record the purchase, or correct the "
            "number of rights: until then the position asks for rights that you have.",
            (new, recorded),
        )
    return Remedy("", (recorded,))
