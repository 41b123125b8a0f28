"""Which position a page shows: what stands today, or what one run found, for example as of a day that is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from subscriptions.models import ModelResult, ProductResult, ReconciliationRun

State = ReconciliationRun.State
ANSWERED = (State.COMPLETED, State.PARTIALLY_COMPLETED)
NOT_A_DAY = "That is not a date, so this is the position of today."
TO_COME = "That day is still to come, so this is the position of today. Renewals say what is to be expected."
NO_RUN = "There is no such reconciliation with results, so this is the position of today."


@dataclass(frozen=True)
class Shown:
    """The position on a page. Without a `run` it is what stands today, model by model from the newest run of each.

    `missing` is a day that was asked for and that no reconciliation has answered. `problem` is for the reader.
    """

    run: ReconciliationRun | None = None
    missing: date | None = None
    problem: str = ""

    @property
    def is_today(self) -> bool:
        return self.run is None

    @property
    def query(self) -> str:
        """What the address of another page of the same position carries."""
        return f"run={self.run.pk}" if self.run else ""

    @property
    def products(self) -> QuerySet[ProductResult]:
        found = ProductResult.objects.filter(run=self.run) if self.run else ProductResult.objects.current()
        return found.select_related("run")

    @property
    def models(self) -> QuerySet[ModelResult]:
        if self.run is None:
            return ModelResult.objects.current()
        return ModelResult.objects.filter(product_result__run=self.run)

    @property
    def day(self) -> date:
        """The day whose end it is about, or today."""
        if self.run is None:
            return timezone.localdate()
        return self.run.question_date or timezone.localtime(self.run.started_at).date()

    @cached_property
    def basis(self) -> ReconciliationRun | None:
        """The run itself, or the newest one of today that was about everything."""
        if self.run is not None:
            return self.run
        whole = ReconciliationRun.objects.filter(question_date=None, scope_key__endswith="/all", state__in=ANSWERED)
        return whole.first()

    @cached_property
    def failed(self) -> ReconciliationRun | None:
        """The newest run about everything as of its moment, if it failed and nothing has answered since."""
        if self.run is not None:
            return None
        whole = ReconciliationRun.objects.filter(question_date=None, scope_key__endswith="/all")
        last = whole.exclude(finished_at=None).first()
        return last if last is not None and last.state == State.FAILED and not last.is_canceled else None

    @cached_property
    def under_way(self) -> ReconciliationRun | None:
        """The newest reconciliation of today that is not over, whatever it is about."""
        open_ones = ReconciliationRun.objects.filter(finished_at=None, question_date=None)
        return open_ones.select_related("run").first()

    @property
    def unknown(self) -> list[str]:
        """Profiles of which nothing is known for that day: without them there is no total."""
        return self.basis.unknown if self.basis else []

    @property
    def oldest_input(self) -> datetime | None:
        """When the profile that was listed longest ago was listed; None if one never was, or for a day that is over."""
        if self.basis is None or self.basis.question_date is not None:
            return None
        moments = [one.get("refreshed_at") for one in self.basis.inputs.get("profiles", [])]
        return min(map(datetime.fromisoformat, moments)) if moments and all(moments) else None


def read_shown(request: HttpRequest) -> Shown:
    """The position that the address asks for: `run` is the key of a run, `as_of` a day. Otherwise today's."""
    if text := request.GET.get("run", ""):
        run = _find_run(text)
        return Shown(run=run) if run else Shown(problem=NO_RUN)
    if text := request.GET.get("as_of", ""):
        return _of_day(text)
    return Shown()


def _find_run(text: str) -> ReconciliationRun | None:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    runs = ReconciliationRun.objects.filter(state__in=ANSWERED).exclude(scope_key__contains="/model-")
    return runs.filter(pk=int(text)).first()


def _of_day(text: str) -> Shown:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return Shown(problem=NOT_A_DAY)
    today = timezone.localdate()
    if day >= today:
        return Shown(problem=TO_COME if day > today else "")
    runs = ReconciliationRun.objects.filter(question_date=day, scope_key__endswith="/all", state__in=ANSWERED)
    run = runs.first()
    return Shown(run=run) if run else Shown(missing=day)


def of_product(result: ProductResult) -> Shown:
    """The position that a result belongs to."""
    return Shown() if result.current else Shown(run=result.run)
