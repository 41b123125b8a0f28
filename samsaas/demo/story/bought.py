"""What the bookseller has bought: a product that is short, one with a shelf of unused rights, a renewal soon, a block
that was renewed smaller, one that has lapsed, and rights that are reserved for people."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from subscriptions.entitlements import allocate, edit
from subscriptions.entitlements.terms import add_months
from subscriptions.models import Entitlement, Match, Person, SoftwareModel

RENEWED_BEFORE, RENEWED, OVERLAPS, LAPSED, ENDS_IN, SHELF_ENDS_IN = 30, 25, 15, 20, 26, 45  # days ago, or ahead
YEAR = 12
RESERVED = 5


class Purchases:
    """The entitlements, with terms that are counted from today: the story is the same on every day."""

    def __init__(self, today: date, *, by: User) -> None:
        self.today, self.by = today, by
        self.team_block: Entitlement | None = None

    def record_first(self) -> None:
        """What was known when the team was connected, and reserving rights for some of its people."""
        full, sign = self._model("Dropbox Business", "Full"), self._model("Dropbox Sign", "Standard")
        docsend, replay = self._model("DocSend", "Advanced"), self._model("Dropbox Replay", "")
        main = self._buy(
            full, 52, "180", ends=self.ahead(ENDS_IN), notice_days=14, minimum_rights=40, contract="AF-2201"
        )
        self.team_block = self._buy(full, 24, "192", ends=self.ago(RENEWED + 1), contract="AF-2219")
        self._buy(sign, 16, "240", ends=self.ahead(150), currency="USD", contract="HS-77")
        self._buy(docsend, 20, "540", ends=self.ahead(SHELF_ENDS_IN), contract="DS-1040")
        lapsed: dict[str, Any] = {"ends": self.ago(LAPSED), "contract": "RP-3", "period": Entitlement.Period.MONTHLY}
        self._buy(replay, 12, "12", **lapsed)
        # The renewal of DocSend was recorded as another purchase: for the time both run, its rights are doubled.
        self._buy(docsend, 20, "540", starts=self.ago(OVERLAPS), ends=self.ahead(350), contract="DS-1177")
        self._reserve(main, full)

    def record_renewal(self) -> None:
        """The block is renewed with fewer rights than before, because some were given back."""
        if self.team_block is None:
            return
        after = edit.draft_renewal(self.team_block, recommended=18)
        saved = edit.save_draft(after, by=self.by, now=timezone.now())
        edit.publish(saved, by=self.by, now=timezone.now())

    def ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def ahead(self, days: int) -> date:
        return self.today + timedelta(days=days)

    def _model(self, product: str, edition: str) -> SoftwareModel:
        return SoftwareModel.objects.find_or_make("Dropbox", product, edition)

    def _buy(self, model: SoftwareModel, rights: int, cost: str, *, ends: date, **more: Any) -> Entitlement:
        """A published entitlement; for a year up to its end unless it says when it starts."""
        start = more.pop("starts", None) or add_months(ends, -YEAR) + timedelta(days=1)
        values = {"currency": "EUR", "unit_cost": Decimal(cost), "vendor_name": "Dropbox", "owner": self.by, **more}
        draft = Entitlement(software_model=model, purchased_rights=rights, start=start, end=ends, **values)
        saved = edit.save_draft(draft, by=self.by, now=timezone.now())
        return edit.publish(saved, by=self.by, now=timezone.now())

    def _reserve(self, block: Entitlement, model: SoftwareModel) -> None:
        """Rights for some who use the product, and for two who do not have it."""
        of_model = Match.objects.filter(subscription__identifier__software_model=model, person__left_on=None)
        users = Person.objects.filter(pk__in=of_model.order_by("subscription")[:RESERVED].values("person"))
        everybody = Person.objects.filter(left_on=None, matches=None).order_by("key")
        for person in (*users.order_by("key"), *everybody[:2]):
            allocate.assign(block, person, 1, on=timezone.localdate(), by=self.by)
