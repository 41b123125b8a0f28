"""Limited sight: whoever may see some profiles only gets no word of another, from no page and no call of the API."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import NoReverseMatch, resolve, reverse
from django.utils import timezone

from profiles.models import LimitedSight, ScheduledJob
from profiles.sight import seen
from reclamation.asking import approvers
from reclamation.models import Approval, RemovalAttempt, RemovalBatch, RemovalCandidate
from samsaas import page_sight, policy, roles
from samsaas.events import kinds, tell
from samsaas.lib import sight
from samsaas.models import AuditEntry, Mail, Notification
from tests import factories
from tests.samsaas.api.world import Caller
from tests.samsaas.test_every_link import Doors

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

CSRF = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
SEEN, FOREIGN = "Harborview", "Zanzibar"
ASKED = ("", "?export=csv", "?q=team", "?q=ann")  # both profiles have these words
LISTS = ("profile_list", "run_list", "subscription_list", "candidate_list", "attempt_list", "notification_list")


def add_rows(word: str, person: Any, by: Any) -> SimpleNamespace:
    """A profile, and a row of every kind of it. Every name in it has the word."""
    now = timezone.now()
    profile = factories.profile(display_name=f"{word} team", team_id="shared", team_name=f"{word} Inc")
    profile.pull_activity, profile.refreshed_at = True, now
    profile.save()
    seat = factories.subscription(profile=profile, display_name=f"{word} Ann", email=f"ann@{word.lower()}.example")
    factories.match(seat, person)
    factories.activity(seat, now - timedelta(days=3))
    coverage = factories.coverage(profile, now - timedelta(days=9), now)
    factories.credential(alias=profile.alias)
    job = ScheduledJob.objects.create(profile=profile, process="download_subscriptions")
    run = factories.run(profile=profile, state="failed", error_message=f"{word} failed", finished_at=now)
    team = {"profile": profile, "vendor": "dropbox", "team_id": "shared"}
    batch = RemovalBatch.objects.create(
        **team, profile_name=profile.display_name, requested_by=by, requested_at=now, size=1
    )
    rule = factories.rule(seat.identifier.software_model)
    candidate = factories.candidate(seat, rule=rule, opened_by=by, batch=batch)
    attempt = RemovalAttempt.objects.create(
        **team, candidate=candidate, batch=batch, external_id=f"dbmid:{word}", email=seat.email, opened_at=now
    )
    approval = Approval.objects.create(
        candidate=candidate, question="removal", asked_of_group=approvers.sam_admins(), due_at=now, asked_at=now
    )
    Notification.objects.create(
        kind=kinds.RUN_FAILED, key=word, at=now, title=f"{word} failed", path=f"/runs/{run.pk}/", profile_key=profile.pk
    )
    rows = (profile, seat, coverage, job, run, batch, candidate, attempt, approval)
    return SimpleNamespace(
        profile=profile, seat=seat, candidate=candidate, run=run, keys={one._meta.label: one.pk for one in rows}
    )


@pytest.fixture
def world(account, monkeypatch) -> SimpleNamespace:
    """Two profiles with a row of every kind, one person with a seat in both, and somebody who may see the first."""
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)
    user = account("sam_admin", username="limited")
    user.groups.add(Group.objects.get(name=roles.SAM_INTEGRATOR))
    type(user).objects.filter(pk=user.pk).update(email="limited@harborview.example")
    person, by = factories.person("ann@harborview.example", name="Ann of both"), account("admin", username="chief")
    first, second = add_rows(SEEN, person, by), add_rows(FOREIGN, person, by)
    limit = LimitedSight.objects.create(name="Port", created_at=timezone.now())
    limit.profiles.add(first.profile)
    limit.accounts.add(user)
    client, reader = Client(), Client()
    client.force_login(user)
    reader.force_login(user)
    return SimpleNamespace(
        user=user, limit=limit, first=first, second=second, client=client, reader=reader, chief=by, person=person
    )


def names_of(kind: str) -> list[str]:
    return [name for name, of in page_sight.SIGHT.items() if of == kind]


def keyed_pages() -> list[tuple[str, str]]:
    return [(name, model) for model, names in page_sight.KEYED_PAGES.items() for name in names]


def address_of(name: str, *args: Any) -> str:
    for given in (args, (*args, "reclaim"), (), (1,), ("dropbox",), ("profile-1",), (1, "excluded")):
        try:
            return reverse(name, args=given)
        except NoReverseMatch:
            continue
    raise AssertionError(name)


def text_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    page = CSRF.sub("", content.decode("utf-8", "replace"))
    return f"{page} {answer.get('Location', '')}".lower()


def test_every_page_says_what_a_limited_person_gets_and_no_page_twice():
    public = {name for name in policy.POLICY if policy.is_public(name)}
    assert set(policy.POLICY) == set(page_sight.SIGHT) | public
    assert not public & set(page_sight.SIGHT)
    counted = len(page_sight.FREE_PAGES + page_sight.ROW_PAGES + page_sight.WHOLE_PAGES) + len(keyed_pages())
    assert counted == len(page_sight.SIGHT)
    assert all(apps.get_model(model).of_profile for model in page_sight.KEYED_PAGES)


def test_pages_over_all_profiles_are_refused_with_the_reason_and_offered_nowhere(world):
    for name in (name for name in names_of(page_sight.WHOLE) if not name.startswith(("api:", "admin:"))):
        for method in policy.POLICY[name]:
            answer = world.client.generic(method, address_of(name, 1))
            reason = "about all profiles" in text_of(answer)
            held = policy.required_role(name, method) != roles.ADMIN
            assert (answer.status_code, reason) == (403, held), (name, method)
        assert not policy.may(world.user, name)
    core = world.client.get(reverse("admin:index"))
    assert (core.status_code, "about all profiles" in text_of(core)) == (403, True)
    shown = text_of(world.client.get("/"))
    assert "license position" not in shown.split("<main")[0] and "audit trail" not in shown
    assert "license position" not in text_of(world.client.get("/find/?q=license"))


def may_open(user: Any, address: str) -> bool:
    return policy.may(user, resolve(urlsplit(address).path).view_name)


def test_no_page_offers_a_limited_person_a_link_that_is_refused(world):
    pages = [address_of(name, world.first.keys[model]) for name, model in keyed_pages() if name[:4] != "api:"]
    pages += [reverse(name) for name in (*LISTS, "home", "approval_list", "help_list", "own_account", "token_list")]
    offered, shown = dict[str, str](), ""
    for address in (*pages, "/find/?q=ann", reverse("person_list")):
        answer = world.client.get(address)
        if "text/html" in answer["Content-Type"]:
            shown += answer.content.decode()
            offered |= {
                one.partition("#")[0]: address for one in Doors(answer.content.decode()).found if one[:1] == "/"
            }
    assert "Ann of both" in shown and f'href="/people/{world.person.pk}/"' not in shown, "a name without a link"
    refused = {one: on for one, on in offered.items() if one[:8] != "/static/" and not may_open(world.user, one)}
    assert refused == {} and len(offered) > 40
    assert "Excel (XLSX), up to 50,000 lines" in shown


def test_everybody_else_keeps_their_links(world):
    every = Client()
    every.force_login(world.chief)
    page = every.get(reverse("subscription_detail", args=[world.first.seat.pk])).content.decode()
    assert f'href="/people/{world.person.pk}/"' in page


def test_lists_show_the_rows_of_the_own_profiles_only_also_as_files_and_searched(world):
    for name in (name for name in names_of(page_sight.ROWS) if "GET" in policy.POLICY[name] and name[:4] != "api:"):
        for query in ASKED:
            answer = world.client.get(address_of(name, f"profile-{world.second.profile.pk}") + query)
            assert answer.status_code in (200, 302, 303, 404), (name, answer.status_code)
            assert FOREIGN.lower() not in text_of(answer), name
    for name in (
        "profile_list",
        "run_list",
        "subscription_list",
        "candidate_list",
        "attempt_list",
        "notification_list",
    ):
        assert SEEN.lower() in text_of(world.client.get(reverse(name))), name
        every = Client()
        every.force_login(world.chief)
        assert FOREIGN.lower() in text_of(every.get(reverse(name))), name


def test_an_empty_list_of_candidates_names_no_other_profile_either(world):
    RemovalCandidate.objects.update(state="closed_skipped", closed_at=timezone.now())
    page = text_of(world.client.get(reverse("candidate_list")))
    assert "why there are none" in page and SEEN.lower() in page and FOREIGN.lower() not in page


def test_a_foreign_row_is_answered_exactly_as_one_that_is_not_there(world):
    for name, model in keyed_pages():
        if name.startswith("api:"):
            continue
        missing, foreign = 2**40, world.second.keys[model]
        for method in policy.POLICY[name]:
            answers = [world.client.generic(method, address_of(name, key)) for key in (foreign, missing)]
            pages = [text_of(one).replace(str(foreign), "N").replace(str(missing), "N") for one in answers]
            assert [one.status_code for one in answers] == [404, 404], (name, method)
            assert pages[0] == pages[1] and FOREIGN.lower() not in pages[0], (name, method)
        own = world.reader.get(address_of(name, world.first.keys[model]))
        assert own.status_code in (200, 302, 405), (name, own.status_code)
        assert FOREIGN.lower() not in text_of(own), name


def test_the_api_knows_the_rows_of_the_own_profiles_only(world):
    calls = Caller(world.user, roles.SAM_ADMIN), Caller(world.user, roles.SAM_INTEGRATOR)
    for name in (name for name in page_sight.SIGHT if name.startswith("api:")):
        kind = page_sight.kind_of(name)
        for method in policy.POLICY[name]:
            caller = calls[policy.required_role(name, method) == roles.SAM_INTEGRATOR]
            keys = [world.second.keys.get(kind, 1)] if kind not in (page_sight.ROWS, page_sight.FREE) else []
            answer = caller.call(method, address_of(name, *keys), None if method == "GET" else {})
            expected = {page_sight.ROWS: {200, 422}, page_sight.WHOLE: {403}}.get(kind, {404})
            assert answer.status_code in expected, (name, method, answer.status_code)
            assert FOREIGN.lower() not in text_of(answer), name
    body = {"candidates": [world.second.candidate.pk], "legal_hold": True}
    refused = calls[0].post("batches", body)
    assert refused.status_code == 422 and FOREIGN not in refused.content.decode()
    assert [one["id"] for one in calls[0].results("candidates")] == [world.first.candidate.pk]


def test_rows_of_others_cannot_be_selected_or_named_in_an_order(world):
    foreign = world.second.candidate.pk
    kept = world.client.post(reverse("candidate_select"), {"shown": str(foreign), "row": str(foreign), "do": "note"})
    assert FOREIGN.lower() not in text_of(world.client.get(kept["Location"], follow=True))
    every = world.client.post(reverse("candidate_select"), {"do": "all"})
    file = world.client.get(reverse("candidate_export") + "?" + every["Location"].partition("?")[2])
    assert SEEN.lower() in (rows := text_of(file)) and FOREIGN.lower() not in rows
    batch = world.client.get(f"{reverse('batch_confirm')}?candidate={foreign}")
    assert batch["Location"] == reverse("candidate_list")


def test_nobody_is_limited_by_default_an_administrator_never_is_and_several_limits_add_up(world, account):
    other = account("sam_user", username="other")
    assert sight.sight_of(other) is None
    world.limit.accounts.add(world.chief)
    assert seen.sight_of(world.chief) is None
    more = LimitedSight.objects.create(name="Island", created_at=timezone.now())
    more.accounts.add(world.user, other)
    assert seen.sight_of(world.user) == {world.first.profile.pk}
    assert seen.sight_of(other) == frozenset()
    more.profiles.add(world.second.profile)
    assert seen.sight_of(world.user) == {world.first.profile.pk, world.second.profile.pk}


def test_a_limited_person_is_told_of_and_asked_about_the_own_profiles_only(world):
    Notification.objects.create(kind=kinds.RUN_FAILED, key="none", at=timezone.now(), title="Of no profile", path="/")
    tell.run(timezone.now())
    mail = Mail.objects.get(to="limited@harborview.example")
    assert f"{SEEN} failed" in mail.body and FOREIGN not in mail.body and "Of no profile" not in mail.body
    for rows, asked in ((world.first, True), (world.second, False)):
        to = approvers.to_write_to(approvers.choose(rows.candidate), rows.candidate)
        assert (world.user in to) is asked


def test_an_administrator_makes_changes_and_deletes_a_limit_and_each_leaves_an_entry(world, signed_in):
    admin = signed_in("admin")
    page = text_of(admin.get(reverse("sight_new")))
    assert "limited" in page and ">chief" not in page
    given = {"name": "North", "profiles": [world.second.profile.pk], "accounts": [world.user.pk, world.chief.pk]}
    assert "select a valid choice" in text_of(admin.post(reverse("sight_new"), given))
    given["accounts"] = [world.user.pk]
    assert admin.post(reverse("sight_new"), given).status_code == 302
    made = LimitedSight.objects.get(name="North")
    assert FOREIGN.lower() in text_of(world.client.get(reverse("profile_list")))
    assert "north" in text_of(admin.get(reverse("sight_list")))
    assert ">north</bdi>" in text_of(admin.get(reverse("account_detail", args=[world.user.pk])))
    admin.post(reverse("sight_edit", args=[made.pk]), {**given, "profiles": []})
    assert FOREIGN.lower() not in text_of(world.client.get(reverse("profile_list")))
    assert "nobody sees more" in text_of(admin.get(reverse("sight_delete", args=[made.pk])))
    admin.post(reverse("sight_delete", args=[made.pk]))
    assert ">limited<" in text_of(admin.get(reverse("sight_delete", args=[world.limit.pk])))
    verbs = list(AuditEntry.objects.filter(object_name="North").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["created limited sight", "changed limited sight", "deleted limited sight"]


def test_reading_what_somebody_may_see_costs_one_query_however_many_pages_ask(world, django_assert_num_queries):
    user = type(world.user).objects.get(pk=world.user.pk)
    roles.roles_of(user)
    with django_assert_num_queries(1):
        assert all(sight.sight_of(user) == {world.first.profile.pk} for _ in range(30))
