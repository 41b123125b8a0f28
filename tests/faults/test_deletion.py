"""A profile that is deleted, or asked for again, while its jobs are in the middle of their work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import QuerySet

from profiles import delete_profile, tasks
from profiles.connectors import base
from profiles.jobs import execute, queue
from profiles.models import ConnectionAlias, Credential, IntegrationProfile, JobRun
from subscriptions.download import staging
from tests import worlds
from tests.faults.crowd import at_once, together, until
from tests.faults.tenant import ROUTES, Tenant

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
KEPT = {"JobRun", "AuditEntry", "SoftwareModel", "SubscriptionIdentifier", "ConnectionAlias", "ResolutionRule"}


def acting(tenant: Tenant, route: str, number: int, act: Callable[[], Any], patch: pytest.MonkeyPatch) -> list[str]:
    """Act while the vendor answers the given request of a route; gives the list of its requests as it grows."""
    handle, asked = type(tenant.sandbox).handle, []

    def watched(sandbox: Any, request: Any) -> Any:
        if request.path.endswith(route):
            asked.append(route)
            if len(asked) == number:
                at_once(1, act)
        return handle(sandbox, request)

    patch.setattr(type(tenant.sandbox), "handle", watched)
    return asked


def orphans() -> dict[str, int]:
    """Rows and tables that are left of a profile where none is there any more."""
    assert not IntegrationProfile.objects.exists()
    ours = [model for name in ("profiles", "subscriptions") for model in apps.get_app_config(name).get_models()]
    found = {model.__name__: model.objects.count() for model in ours if model.__name__ not in KEPT}
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name.startswith(staging.PREFIX)]
    return {name: count for name, count in {**found, "staging tables": len(tables)}.items() if count}


def connect_anew(tenant: Tenant, integrator: Any) -> None:
    """The same team as a profile once more, refreshed."""
    since = tenant.profile.analyze_activity_from
    tenant.profile = worlds.draft_profile()
    tenant.profile.analyze_activity_from = since
    tenant.profile.save()
    tenant.profile.alias.page_size = 6
    tenant.profile.alias.save()
    worlds.connect(integrator, tenant.profile, tenant.sandbox)
    tenant.refresh()


@pytest.mark.parametrize("process", [base.DOWNLOAD, base.ACTIVITY])
def test_deleting_a_profile_at_any_page_stops_its_run_and_leaves_nothing(
    tenant: Tenant, integrator: Any, measured: Any, monkeypatch: pytest.MonkeyPatch, process: str
) -> None:
    pages, left, calls_after = tenant.pages(process), [], 0
    for number in range(1, pages + 1):
        tenant.forget_activity()
        route, nth = (ROUTES[process][0], 1) if number == 1 else (ROUTES[process][1], number - 1)
        with monkeypatch.context() as patch:
            doomed = tenant.profile
            acting(tenant, route, nth, lambda gone=doomed: delete_profile.run(gone, by=integrator.user), patch)
            run = tenant.execute(process)
            until(lambda: not IntegrationProfile.objects.exists(), 20)  # it may still be at it when its run has stopped
        run.refresh_from_db()
        assert (run.state, run.profile) == ("canceled", None)
        asked = tenant.calls()
        worlds.work_on()
        staging.drop_orphans()
        calls_after += tenant.calls() - asked
        left += [(number, orphans())] if orphans() else []
        connect_anew(tenant, integrator)
    assert left == []
    label = "members" if process == base.DOWNLOAD else "events"
    measured("F55", f"profile deleted at each of {pages} pages of {label}", "orphans", len(left))
    measured("F55", f"profile deleted at each of {pages} pages of {label}", "calls by later work", calls_after)


def test_deleting_while_a_worker_publishes_leaves_nothing(tenant: Tenant, integrator: Any, measured: Any) -> None:
    """Both at once, however the database interleaves them."""
    left, rounds = [], 3
    for _ in range(rounds):
        run, doomed = ask(tenant, base.DOWNLOAD), tenant.profile
        work = partial(tasks.execute, run.pk)
        ended = together(work, partial(delete_profile.run, doomed, by=integrator.user))
        assert ended == [None, None]
        staging.drop_orphans()
        left += [orphans()] if orphans() else []
        connect_anew(tenant, integrator)
    assert left == []
    measured("F55", f"profile deleted beside a running worker, {rounds} times", "orphans", len(left))
    assert ConnectionAlias.objects.count() == Credential.objects.count() == 1


def test_a_run_that_is_taken_back_in_the_moment_it_is_claimed_starts_nothing(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion's canceling comes between the worker's claim and its look at the row."""
    run, update = ask(tenant, base.DOWNLOAD), QuerySet.update

    def and_canceled(rows: Any, **changes: Any) -> int:
        done = update(rows, **changes)
        if changes.get("state") == JobRun.State.RUNNING:
            update(JobRun.objects.filter(pk=run.pk), state=JobRun.State.CANCELED, owner="")
        return done

    monkeypatch.setattr(QuerySet, "update", and_canceled)
    assert execute.claim(run.pk) is None


def test_a_second_request_of_a_running_process_finds_the_first(tenant: Tenant, measured: Any) -> None:
    overlaps = 0
    for process, (first, _) in ROUTES.items():
        before, run = tenant.calls(first), ask(tenant, process)
        worker = threading.Thread(target=at_once, args=(1, partial(tasks.execute, run.pk)))
        with tenant.held(first) as arrived:
            worker.start()
            assert arrived.wait(20)
            for _ in range(5):
                assert ask(tenant, process) == run
                tasks.execute(run.pk)
        worker.join(20)
        run.refresh_from_db()
        assert run.state == "succeeded"
        overlaps += tenant.calls(first) - before - 1
    measured("F55", "5 requests more while a process runs, download and pull", "runs that overlap", overlaps)


def ask(tenant: Tenant, process: str) -> JobRun:
    run, _ = queue.request(queue.Request(process, JobRun.Trigger.MANUAL, profile=tenant.profile))
    assert run
    return run
