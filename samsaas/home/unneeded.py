"""What is paid for and seems not to be needed: subscriptions in use by what speaks against them, and what is proposed.

A subscription can be in more than one row, as one of somebody who left and never used it. Proposals are counted once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, OuterRef, Subquery
from django.urls import reverse

from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.reasons import Reason
from reclamation.states import State
from samsaas.home.amounts import Amounts, PriceList
from subscriptions import links
from subscriptions.activity import last_used
from subscriptions.models import Subscription
from subscriptions.seat_counts.count import IDLE, LEFT, NEVER, WITHOUT_USER
from subscriptions.seat_counts.stored import SeatFigures


@dataclass(frozen=True)
class UnneededLine:
    """One kind: how many are in use, what they cost, and how many of them a rule or a person proposes to remove."""

    label: str
    count: int | None
    url: str
    money: Amounts
    proposed: int = 0
    proposed_url: str = ""


@dataclass(frozen=True)
class OpenCandidates:
    """Open removal candidates, by state and by reason and software model. One that has no rule was proposed by hand."""

    by_state: Mapping[str, int]
    by_reason: Mapping[str, Mapping[int | None, int]]

    @property
    def count(self) -> int:
        return sum(self.by_state.values())

    @property
    def leaving(self) -> int:
        """Those being removed, or removed and still to be undone: they count in no license position any more."""
        return self.by_state.get(State.AWAITING_REVOCATION, 0)

    def of_models(self) -> dict[int | None, int]:
        """All of them by software model."""
        return dict(sum((Counter(models) for models in self.by_reason.values()), Counter()))


def read_candidates() -> OpenCandidates:
    """Count the open candidates. Their number grows with what is to do, and not with the subscriptions."""
    states: Counter[str] = Counter()
    reasons: dict[str, Counter[int | None]] = {}
    models = dict(ReclamationRule.objects.values_list("pk", "software_model"))
    # In the order of an index, which has all that is asked.
    open_ones = RemovalCandidate.objects.open().order_by().values_list("reason", "rule", "state")
    by_hand = 0
    for reason, rule, state, number in open_ones.annotate(count=Count("*")):
        states[state] += number
        if rule is None:
            by_hand += number
        else:
            reasons.setdefault(reason or Reason.MANUAL, Counter())[models.get(rule)] += number
    for reason, model, number in _count_by_hand() if by_hand else ():
        reasons.setdefault(reason or Reason.MANUAL, Counter())[model] += number
    return OpenCandidates(states, reasons)


def _count_by_hand() -> Iterable[tuple[str, int | None, int]]:
    """Those without a rule by reason and software model. Each seat is looked up: a join would read all of them."""
    of_seat = Subscription.objects.filter(pk=OuterRef("subscription")).values("identifier__software_model")
    open_ones = RemovalCandidate.objects.open().order_by().filter(rule=None)
    return open_ones.values_list("reason", Subquery(of_seat)).annotate(count=Count("*"))


def rows(seats: SeatFigures, candidates: OpenCandidates, prices: PriceList) -> list[UnneededLine]:
    """What speaks against a subscription that is in use, and then the other reasons of proposals, if there are any."""
    found = [
        _count_line(seats, candidates, prices, "User has left the company", LEFT, Reason.LEAVER, user=links.LEFT),
        _count_line(seats, candidates, prices, last_used.IDLE_LABEL, IDLE, Reason.IDLE, activity=last_used.IDLE),
        _count_line(
            *(seats, candidates, prices, "Never active", NEVER, Reason.NEVER_ACTIVE), activity=last_used.NEVER_ACTIVE
        ),
    ]
    cost = prices.cost_of(seats.of_models(WITHOUT_USER))
    url = f"{reverse('unmatched_list')}?license={links.USES}"
    found.append(UnneededLine("Without user", seats.total[WITHOUT_USER], url, cost))
    for other in (Reason.INVITED, Reason.SUSPENDED, Reason.MANUAL):
        if models := dict(candidates.by_reason.get(other, {})):
            proposals = _proposals(candidates, other)
            found.append(UnneededLine(str(other.label), None, "", prices.cost_of(models), **proposals))
    return found


def _count_line(
    seats: SeatFigures,
    candidates: OpenCandidates,
    prices: PriceList,
    label: str,
    name: str,
    reason: Reason,
    **filters: str,
) -> UnneededLine:
    url, cost = links.list_url(**filters, license=links.USES), prices.cost_of(seats.of_models(name))
    return UnneededLine(label, seats.total[name], url, cost, **_proposals(candidates, reason))


def _proposals(candidates: OpenCandidates, reason: Reason) -> dict[str, Any]:
    count = sum(candidates.by_reason.get(reason, {}).values())
    return {"proposed": count, "proposed_url": f"{reverse('candidate_list')}?{urlencode({'reason': reason.value})}"}
