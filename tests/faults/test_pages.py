"""A listing that breaks off, lies, changes under the reader or is forgotten: at every page, members and events."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault, routes
from profiles.connectors.dropbox.sandbox.messages import Delivery
from profiles.connectors.dropbox.sandbox.team import Team, status_of
from subscriptions.models import Subscription
from tests.faults.tenant import DAY, EVENTS, EVENTS_MORE, INFO, LIST, LIST_MORE, TOKEN, Tenant, told

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
JSON = {"Content-Type": "application/json"}
KINDS = {
    "500": Fault(status=500, body="oops"),
    "503": Fault(status=503, body="<html>down</html>"),
    "403": told("no_permission", 403),
    "RST": Fault(delivery=Delivery(reset=True)),
    "half an answer": Fault(delivery=Delivery(truncate=300)),
    "truncated JSON": Fault(status=200, body='{"members": [{"profile": {"team', headers=JSON),
}


def test_no_page_of_a_download_that_fails_is_published(tenant: Tenant, measured: Any) -> None:
    pages, before = tenant.pages(base.DOWNLOAD), tenant.rows()
    tenant.team.members[3]["profile"]["name"]["surname"] = "Married"
    tenant.team.members[-3]["profile"]["status"] = {".tag": "removed"}
    partial = 0
    for number in range(1, pages + 1):
        for fault in KINDS.values():
            tenant.break_page(base.DOWNLOAD, number, fault)
            run = tenant.download()
            partial += run.state != "failed" or not run.error_remedy or tenant.rows() != before
            tenant.mend()
    injected = f"each of {pages} pages of members × {len(KINDS)} kinds ({', '.join(KINDS)})"
    measured("F43", injected, "partial lists published", partial)
    assert tenant.download().state == "succeeded"
    measured("F43", "the download after them", "seats that differ from the vendor", tenant.wrong_seats())


def test_no_page_of_a_pull_that_fails_proves_or_loses_anything(tenant: Tenant, measured: Any) -> None:
    tenant.forget_activity()
    pages, partial, wrong = tenant.pages(base.ACTIVITY), 0, tenant.wrong_events()
    for number in range(1, pages + 1):
        for fault in KINDS.values():
            tenant.forget_activity()
            tenant.break_page(base.ACTIVITY, number, fault)
            partial += tenant.pull().state != "failed" or tenant.claims() != []
            tenant.mend()
            assert tenant.pull().state == "succeeded"
            wrong += tenant.wrong_events()
    injected = f"each of {pages} pages of events × {len(KINDS)} kinds"
    measured("F43", injected, "coverage claimed by a partial pull", partial)
    measured("F43", "the pulls that went on at their cursors", "events lost or counted twice", wrong)


def test_a_token_that_expires_at_any_page_costs_a_renewal_and_no_record(tenant: Tenant, measured: Any) -> None:
    expired = told("expired_access_token", 401)
    for process, wrong_now, records in (
        (base.DOWNLOAD, tenant.wrong_seats, "members"),
        (base.ACTIVITY, tenant.wrong_events, "events"),
    ):
        pages, wrong = tenant.pages(process), 0
        for number in range(1, pages + 1):
            tenant.forget_activity()
            renewed = tenant.calls(TOKEN)
            tenant.break_page(process, number, expired)
            run = tenant.execute(process)
            assert (run.state, tenant.calls(TOKEN) - renewed, run.pages) == ("succeeded", 1, pages)
            wrong += wrong_now() + run.counters.get("duplicates", 0)
            tenant.mend()
        injected = f"401 expired_access_token at each of {pages} pages of {records}"
        measured("F13", injected, f"{records} lost or doubled", wrong)


Answer = Callable[[routes.Call], Any]


def answers(first: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Answer]:
    return {LIST: lambda call: first, LIST_MORE: lambda call: more or first}


def liars(tenant: Tenant) -> dict[str, dict[str, Answer]]:
    """Listings that say they are whole and are not, or never say it."""
    whole = [one for one in tenant.team.members if status_of(one) != "removed"]
    places = iter(range(10_000))

    def endless(call: routes.Call) -> Any:
        return {"members": whole[:6], "cursor": f"new {next(places)}", "has_more": True}

    def empty_for_ever(call: routes.Call) -> Any:
        return {"members": [], "cursor": f"new {next(places)}", "has_more": True}

    uncounted = {"team_id": tenant.team.team_id, "name": "Nordwind", "num_provisioned_users": None}
    none = {"members": [], "cursor": "end", "has_more": False}
    return {
        "an empty list": answers(none),
        "an empty list and no count": {**answers(none), INFO: lambda call: uncounted},
        "an empty list and a count of none": {
            **answers(none),
            INFO: lambda call: {**uncounted, "num_provisioned_users": 0},
        },
        "half a list": answers({"members": whole[:15], "cursor": "end", "has_more": False}),
        "half a list, half a count": {
            **answers({"members": whole[:15], "cursor": "end", "has_more": False}),
            INFO: lambda call: {**uncounted, "num_provisioned_users": 15},
        },
        "more without a cursor": answers({"members": whole[:6], "cursor": "", "has_more": True}),
        "more, and the same cursor": answers({"members": whole[:6], "cursor": "same", "has_more": True}),
        "more, and the first page again": {LIST: endless, LIST_MORE: endless},
        "more, and nothing for ever": {LIST: empty_for_ever, LIST_MORE: empty_for_ever},
        "no word whether there is more": answers({"members": whole, "cursor": "end"}),
        "more, and then an answer of another kind": answers(
            {"members": whole[:6], "cursor": "next", "has_more": True}, {"events": [], "cursor": "", "has_more": False}
        ),
    }


def test_no_seat_ends_by_a_listing_that_is_empty_short_or_lies(
    tenant: Tenant, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, accepted = liars(tenant), []
    for name, told_instead in cases.items():
        with monkeypatch.context() as patch:
            for route, answer in told_instead.items():
                patch.setitem(routes.ROUTES, route, replace(routes.ROUTES[route], answer=answer))
            if tenant.download().state not in ("failed", "held"):
                accepted.append(name)
    assert accepted == []
    injected = f"{len(cases)} listings: empty, short, `has_more` that lies, cursors that loop"
    measured("F44", injected, "seats ended", tenant.ended())
    assert tenant.download().state == "succeeded" and tenant.wrong_seats() == 0


def test_no_log_that_lies_about_its_end_proves_anything(
    tenant: Tenant, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, cases = tenant.claims(), ("same", "")
    for cursor in cases:
        answer = {"events": [], "cursor": cursor, "has_more": True}
        with monkeypatch.context() as patch:
            for route in (EVENTS, EVENTS_MORE):
                patch.setitem(
                    routes.ROUTES, route, replace(routes.ROUTES[route], answer=lambda call, told=answer: told)
                )
            assert tenant.pull().state == "failed"
    assert tenant.calls(EVENTS, EVENTS_MORE) < 20
    measured("F44", "logs whose cursor loops or is missing", "coverage claimed", len(set(tenant.claims()) - set(known)))


class Busy(Team):
    """A team that changes while it is listed. `listed` is what its last listing said of everybody, at the last."""

    chance = random.Random(0)
    calm = False

    def window(self, start: int, count: int, include_removed: bool) -> tuple[list[Any], int | None]:
        if start == 0:
            self.order, self.place = [one for one in self.members if status_of(one) != "removed"], 0
            self.listed: dict[str, Any] = {}
        before, page = self.order[: self.place], self.order[self.place : self.place + count - 2]
        self.place += count - 2
        if before and not self.calm:
            page = page + self.chance.sample(before, 2)  # listed before, perhaps changed or gone since
        told = deepcopy([one for one in page if status_of(one) != "removed"])
        self.listed.update({one["profile"]["team_member_id"]: one for one in told})
        more = self.place < len(self.order)
        if not self.calm:
            self.live()
        return told, self.place if more else None

    def live(self) -> None:
        for one in self.chance.sample(self.order, 3):
            one["profile"]["name"]["surname"] = f"Changed {self.chance.random()}"
        if self.place < 6:  # one joins and one leaves in a listing: within what may end without a person's word
            joined = self.make_member(1000 + len(self.members))
            joined["profile"]["status"] = {".tag": "active"}
            self.members.append(joined)
            self.order.append(joined)
            self.chance.choice(self.order[8:])["profile"]["status"] = {".tag": "removed"}


def test_a_team_that_changes_while_it_is_listed_is_published_as_it_was_listed(tenant: Tenant, measured: Any) -> None:
    calm, seeds = tenant.team, 12
    busy = Busy(calm.name, calm.domain, calm.people, calm.licensed, removed=calm.removed)
    tenant.sandbox.teams[calm.team_id] = busy
    wrong = duplicates = 0
    for seed in range(seeds):
        busy.chance, busy.calm = random.Random(seed), False
        run = tenant.download()
        assert run.state == "succeeded", run.error_message
        duplicates += run.counters["duplicates"]
        listed = {who: one["profile"]["name"]["surname"] for who, one in busy.listed.items()}
        now = dict(Subscription.objects.current().values_list("external_id", "surname"))
        wrong += len(set(listed.items()) ^ set(now.items()))
        busy.calm = True
        assert tenant.download().state == "succeeded"
        wrong += tenant.wrong_seats()
    assert duplicates > seeds
    injected = f"{seeds} busy days: joins, leaves, changes and {duplicates} repeated records between pages"
    measured("F45", injected, "seats that differ from what was listed", wrong)


def test_a_forgotten_cursor_at_any_page_ends_no_seat_and_counts_nothing_twice(tenant: Tenant, measured: Any) -> None:
    ways = {base.DOWNLOAD: ("invalid_cursor", "reset"), base.ACTIVITY: ("bad_cursor", "reset")}
    wrong = tried = 0
    for process, tags in ways.items():
        for number in range(2, tenant.pages(process) + 1):
            for tag in tags:
                tenant.forget_activity()
                tenant.break_page(process, number, told(tag, 409))
                run = tenant.execute(process)
                assert run.state == "succeeded" and run.warnings, run.error_message
                wrong += tenant.wrong_seats() + (tenant.wrong_events() if process == base.ACTIVITY else 0)
                tried += 1
                tenant.mend()
    injected = f"`reset`, `bad_cursor` or `invalid_cursor` once, at {tried} places"
    measured("F46", injected, "seats or events that are wrong afterwards", wrong + tenant.ended())


def test_a_vendor_who_forgets_every_cursor_leaves_the_gap_unknown(tenant: Tenant, measured: Any) -> None:
    now = tenant.sandbox.now()
    tenant.profile.coverage.update(until=now - 2 * DAY)
    gap = tenant.unknown_days()
    assert gap > 1.9
    for process, tag in ((base.DOWNLOAD, "invalid_cursor"), (base.ACTIVITY, "bad_cursor")):
        for number in range(1, 20):
            tenant.break_page(process, number + 1, told(tag, 409))
        run = tenant.execute(process)
        assert (run.state, run.error_kind) == ("failed", "ListingReset")
        tenant.mend()
    measured("F46", "every cursor forgotten", "days that became known", max(0, round(gap - tenant.unknown_days(), 2)))
    measured("F46", "every cursor forgotten", "seats ended", tenant.ended())
