"""Turn freed seats into money: when a renewal begins with fewer rights, the oldest freed seats of its model are saved.

A block that ends without a renewal saves nothing here, and rights that were given back beyond the freed seats were
reduced otherwise: neither is ours.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from reclamation.models import SavingsEntry
from reclamation.savings import ledger
from reclamation.savings.ledger import GONE_BACK, Kind
from samsaas.lib import money
from subscriptions.entitlements.terms import is_ever_in_force, is_published, price_of_right
from subscriptions.models import Entitlement

# A seat that is not saved within so many days of being freed never is.
LAPSES_AFTER = timedelta(days=366)


def note_saved(now: datetime) -> int:
    """Note what the renewals that have begun saved, each once. Returns how many lines were added."""
    today = timezone.localtime(now).date()
    models = _waiting().order_by().values_list("of_model", flat=True).distinct()
    renewals = begun_renewals(today).filter(software_model__in=list(models))
    return sum(_note_saved(renewal) for renewal in renewals if reduction_of(renewal) > 0)


def begun_renewals(today: date) -> QuerySet[Entitlement]:
    """Published entitlements that renew another one, and whose term has begun."""
    rows = Entitlement.objects.published().filter(renews__isnull=False, start__lte=today)
    return rows.select_related("renews").order_by("start", "pk")


def reduction_of(renewal: Entitlement) -> int:
    """By how many rights the renewal is smaller than what it renews; 0 where that cannot be said."""
    before = renewal.renews
    if before is None or not is_published(before) or not is_ever_in_force(renewal):
        return 0
    if before.unlimited or renewal.unlimited:
        return 0
    return max(0, before.purchased_rights - renewal.purchased_rights)


@transaction.atomic
def _note_saved(renewal: Entitlement) -> int:
    """The oldest freed seats that wait, as many as the renewal is smaller and as are not noted yet."""
    Entitlement.objects.select_for_update(of=("self",)).get(pk=renewal.pk)
    before = renewal.renews
    noted = SavingsEntry.objects.filter(kind=Kind.SAVED, entitlement=renewal).count()
    left = reduction_of(renewal) - noted
    if before is None or left <= 0:
        return 0
    price = _price_paid(before)
    oldest = _waiting_at(renewal).order_by("on", "pk").select_related("candidate")[:left]
    return sum(ledger.add_saved(freed, renewal, price, before.currency) for freed in list(oldest))


def _price_paid(before: Entitlement) -> Decimal | None:
    try:
        return price_of_right(before)
    except money.TooLarge:
        return None


def _waiting() -> QuerySet[SavingsEntry]:
    """Freed seats of a known software model that were not saved."""
    saved = SavingsEntry.objects.filter(candidate=OuterRef("candidate"), kind=Kind.SAVED)
    return SavingsEntry.objects.filter(~Exists(saved), kind=Kind.FREED, of_model__isnull=False)


def _waiting_at(renewal: Entitlement) -> QuerySet[SavingsEntry]:
    """Those that were freed before the renewal, not too long ago, and had not gone back by then.

    Where the renewal is recorded late, some may have gone back since. What was restored since is saved and taken back,
    as if the renewal had been known; what has returned since stays *returned*, because a line is never taken away.
    """
    since = Q(kind=Kind.RETURNED) | Q(on__lte=renewal.start)
    gone_back = SavingsEntry.objects.filter(since, candidate=OuterRef("candidate"), kind__in=GONE_BACK)
    term = (renewal.start - LAPSES_AFTER, renewal.start - timedelta(days=1))
    return _waiting().filter(~Exists(gone_back), of_model=renewal.software_model_id, on__range=term)
