"""Tokens in trouble: many workers at once, a refresher that dies, a grant that is gone, scopes that come and go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from profiles.connection import refresh_token
from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault
from profiles.connectors.dropbox.sandbox.messages import Delivery
from profiles.models import Credential, IntegrationProfile, JobRun, ScheduledJob
from profiles.models.run import VALIDATE
from profiles.oauth import scopes
from samsaas import schedule
from tests import worlds
from tests.faults.crowd import at_once, until
from tests.faults.tenant import TOKEN, Tenant

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).parents[2]
LEASE_SECONDS = 2
REFRESHER = """
import sys, django
django.setup()
from datetime import timedelta
from django.utils import timezone
from profiles.connection import refresh_token
from tests import clock
clock.Journey(clock.moment(sys.argv[3])).begin()
refresh_token.LEASE = timedelta(seconds=int(sys.argv[2]))
refresh_token.run(int(sys.argv[1]), now=timezone.now())
"""


def expire(profile: IntegrationProfile) -> Credential:
    Credential.objects.filter(alias=profile.alias_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    return Credential.objects.get(alias=profile.alias_id)


def test_twenty_workers_with_an_expired_token_make_one_refresh(
    tenant: Tenant, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh_token, "POLL_SECONDS", 0.02)
    held, before = expire(tenant.profile), tenant.calls(TOKEN)
    found = at_once(20, lambda: refresh_token.run(held.pk, now=timezone.now()))
    assert len(found) == 20 and {type(one) for one in found} == {str} and len(set(found)) == 1, found
    measured("F10", "20 workers, one expired token", "refreshes", tenant.calls(TOKEN) - before, must="= 1")


def another_process(credential: Credential) -> subprocess.Popen[bytes]:
    """A worker of its own that refreshes the token, on this test's database and this test's Dropbox."""
    from django.conf import settings  # noqa: PLC0415 - what the fixture set

    database = connection.settings_dict
    sqlite = f"sqlite:///{database['NAME']}"
    server = f"postgres://{database.get('USER')}@{database.get('HOST')}:{database.get('PORT')}/{database['NAME']}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "samsaas.settings",
        "DATABASE_URL": sqlite if connection.vendor == "sqlite" else server,
        "DROPBOX_TOKEN_URL": settings.DROPBOX_TOKEN_URL,
        "DROPBOX_API_URL": settings.DROPBOX_API_URL,
    }
    command = [sys.executable, "-c", REFRESHER, str(credential.pk), str(LEASE_SECONDS), timezone.now().isoformat()]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def test_a_refresher_killed_in_the_middle_holds_nobody_up_for_longer_than_its_lease(
    tenant: Tenant, measured: Any
) -> None:
    held = expire(tenant.profile)
    before = tenant.calls(TOKEN)
    tenant.sandbox.faults.add(TOKEN, 1, Fault(delivery=Delivery(delay=60)))
    refresher = another_process(held)
    until(lambda: tenant.calls(TOKEN) > before or refresher.poll() is not None, 30)
    assert refresher.poll() is None and Credential.objects.get(pk=held.pk).lease_owner
    refresher.send_signal(signal.SIGKILL)
    refresher.wait()
    began = time.monotonic()
    assert refresh_token.run(held.pk, now=timezone.now())
    recovery = time.monotonic() - began
    after = Credential.objects.get(pk=held.pk)
    assert not after.lease_owner and after.generation == held.generation + 1
    real = refresh_token.LEASE.total_seconds()
    injected = (
        f"kill -9 of a refresher that waits for the vendor; lease {LEASE_SECONDS} s here, {real:.0f} s in the product"
    )
    measured("F11", injected, "recovery", recovery, must=f"≤ {LEASE_SECONDS + 2} s")


@pytest.mark.parametrize(("gone", "most"), [("refresh token revoked", 1), ("grant revoked, token not expired", 2)])
def test_a_grant_that_is_gone_is_asked_once_and_then_there_is_silence(
    tenant: Tenant, measured: Any, settings: Any, gone: str, most: int
) -> None:
    """An access token that is refused is renewed once: only the answer to the refresh tells that the grant is gone."""
    settings.DAILY_REFRESH_AT = "00:00"
    for grant in list(tenant.sandbox.store.grants):
        tenant.sandbox.store.revoke(grant)
    if gone.startswith("refresh"):
        expire(tenant.profile)
    before = tenant.calls()
    for _ in range(5):
        schedule.start_due()
        worlds.work_on()
        for process in (base.DOWNLOAD, base.ACTIVITY):
            assert tenant.execute(process).error_kind == "Reconnect"
    tenant.profile.refresh_from_db()
    assert tenant.profile.attention == "needs_authorization"
    measured("F12", f"{gone}; then 5 beats and 10 clicks", "calls in all", tenant.calls() - before, must=f"≤ {most}")


def narrowed(tenant: Tenant, scope: str) -> None:
    """Every token loses a scope at the vendor, without a word to us."""
    store = tenant.sandbox.store
    store.tokens = {
        token: replace(access, scopes=tuple(one for one in access.scopes if one != scope))
        for token, access in store.tokens.items()
    }


def test_a_scope_the_vendor_misses_is_named_with_what_to_do(tenant: Tenant, measured: Any) -> None:
    tried = ((base.DOWNLOAD, "team_info.read"), (base.DOWNLOAD, "members.read"), (base.ACTIVITY, "events.read"))
    named, kept = 0, dict(tenant.sandbox.store.tokens)
    for process, scope in tried:
        narrowed(tenant, scope)
        run = tenant.execute(process)
        assert (run.state, run.error_kind) == ("failed", "MissingScope") and run.error_request_id
        named += scope in run.error_message and bool(run.error_remedy)
        validation = tenant.execute(VALIDATE)
        named += scope in validation.error_message
        tenant.sandbox.store.tokens = dict(kept)
    cases = 2 * len(tried)
    measured("F14", f"{cases} calls refused with 401 missing_scope", "scope named", 100 * named / cases, must="= 100 %")


NEEDED = {
    "team_info.read": base.DOWNLOAD,
    "members.read": base.DOWNLOAD,
    "events.read": base.ACTIVITY,
    "members.write": base.RECLAIM,
    "members.delete": base.RECLAIM,
}


def test_a_grant_that_lost_a_scope_switches_its_process_off_and_says_so(
    tenant: Tenant, integrator: Any, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, right = scopes.wanted(tenant.profile, base.SUBSCRIPTIONS), 0
    for scope, process in NEEDED.items():
        with monkeypatch.context() as patch:
            patch.setattr(
                "profiles.oauth.flow.scopes.wanted", lambda *given, gone=scope: [one for one in whole if one != gone]
            )
            worlds.connect(integrator, tenant.profile, tenant.sandbox)
        worlds.work_on()
        page = integrator.get(f"/integration-profiles/{tenant.profile.pk}/").content.decode()
        others = {row.process.key for row in scopes.by_grant_and_refusals(tenant.profile) if row.state == "ready"}
        run = JobRun.objects.filter(process=VALIDATE).latest("pk")
        right += process not in others and scope in page and scope in run.error_message
    measured(
        "F9",
        "a new consent lacks a scope, each needed one",
        "process off and scope named",
        100 * right / len(NEEDED),
        must="= 100 %",
    )


def test_a_grant_that_gained_scopes_is_warned_of(
    tenant: Tenant, integrator: Any, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    IntegrationProfile.objects.update(reclaim=False)
    whole, warned, wider = scopes.wanted(tenant.profile, base.SUBSCRIPTIONS), 0, ("members.delete", "account_info.read")
    for scope in wider:
        with monkeypatch.context() as patch:
            patch.setattr("profiles.oauth.flow.scopes.wanted", lambda *given, more=scope: sorted({*whole, more}))
            back = worlds.consent(tenant.sandbox, worlds.press(integrator, tenant.profile))
        integrator.get(back, follow=True)
        worlds.work_on()
        tenant.profile.refresh_from_db()
        page = integrator.get(f"/integration-profiles/{tenant.profile.pk}/connection/").content.decode()
        warned += scope in page and tenant.profile.status == "published" and ScheduledJob.objects.count() == 2
    measured(
        "F9",
        "a new consent has more than was asked for",
        "warned of, still at work",
        100 * warned / len(wider),
        must="= 100 %",
    )
