"""A program that calls the API, and rows of every kind for it to read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from profiles.models import ScheduledJob
from reclamation.models import Exemption, RemovalAttempt, RemovalBatch, SavingsEntry
from samsaas.api import tokens, urls
from samsaas.api.schema import read_document
from samsaas.models import ApiToken
from subscriptions import recompute
from subscriptions.models import Allocation, IdentifierExclusion, ResolutionRule, UserExclusion
from subscriptions.question import ask
from tests import factories, worlds
from tests.subscriptions.entitlements import owned_world

ROOT = "/api/v1"


class Caller:
    """Calls the API with one token, and keeps no cookie."""

    def __init__(self, user: User, role: str = "admin") -> None:
        day = timezone.localdate() + timedelta(days=30)
        self.user = user
        self.token, self.text = tokens.make(user, name="Script", role=role, last_day=day, now=timezone.now())

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        client = Client(raise_request_exception=True)
        named = {
            "Authorization": f"Bearer {self.text}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        given = {"data": body, "content_type": "application/json"} if body is not None else {}
        address = path if path.startswith("/") else f"{ROOT}/{path}"
        return getattr(client, method.lower())(address, headers=named, **given)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any) -> Any:
        return self.call("PATCH", path, body)

    def results(self, path: str) -> list[dict[str, Any]]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def stored(self) -> ApiToken:
        return ApiToken.objects.get(pk=self.token.pk)


def document() -> dict[str, Any]:
    return read_document(tuple(urls.resources))


def lists() -> dict[str, str]:
    """The address of every list, by the name of its operation."""
    return {
        methods["get"]["operationId"]: path
        for path, methods in document()["paths"].items()
        if "{" not in path and "get" in methods
    }


def add_rows(by: User) -> None:
    """One row of every kind, related to others of its own."""
    seat = factories.subscription()
    person = factories.person("x@example.com")
    factories.match(seat, person)
    factories.activity(seat, timezone.now())
    now, today = timezone.now(), timezone.localdate()
    factories.coverage(seat.profile, now - timedelta(days=9), now)
    factories.credential(alias=seat.profile.alias)
    ScheduledJob.objects.create(profile=seat.profile, process="download_subscriptions")
    factories.run(profile=seat.profile, requested_by=by)
    IdentifierExclusion.objects.create(identifier=seat.identifier, profile=seat.profile, active=False)
    UserExclusion.objects.create(pattern="x*", active=False)
    ResolutionRule.objects.create(name=f"Rule {next(factories.numbers)}")
    one = owned_world.drafted(by, seat.identifier.software_model, owner=by, end=today + timedelta(days=40))
    owned_world.edit.publish(one, by=by, now=now)
    Allocation.objects.create(entitlement=one, person=person, assigned_on=today, source="hand")
    rule = factories.rule(seat.identifier.software_model)
    Exemption.objects.create(person=person, reason="Board", by=by, at=now)
    team = {"profile": seat.profile, "vendor": "dropbox", "team_id": "t"}
    batch = RemovalBatch.objects.create(**team, profile_name="P", requested_by=by, requested_at=now, size=1)
    candidate = factories.candidate(seat, rule=rule, opened_by=by, assigned_to=by, batch=batch)
    RemovalAttempt.objects.create(**team, candidate=candidate, batch=batch, external_id=seat.external_id, opened_at=now)
    freed = {"quantity": 1, "price": 120, "amount": 120, "currency": "EUR", "on": today, "profile_name": "P"}
    SavingsEntry.objects.create(candidate=candidate, kind="freed", **freed)


def reconcile(by: User) -> None:
    """The license position of today."""
    recompute.request(ask(now=timezone.now()), by=by, now=timezone.now())
    worlds.work()


def bodies_for(caller: Any) -> dict[str, tuple[int, Any]]:
    """For each order the row it is about, and a body that is right."""
    profile = factories.profile(team_id="t9", licenses_reported=100)
    scopes = [scope for process in profile.vendor_info.processes for scope in process.scopes]
    factories.credential(alias=profile.alias, state="connected", granted_scopes=scopes)
    ready, other = (factories.candidate(factories.subscription(profile=profile)) for _ in range(2))
    draft = owned_world.drafted(caller.user)
    day = timezone.localdate()
    rights = {"software_model": draft.software_model_id, "purchased_rights": 3, "unlimited": False}
    rights |= {"agreement_type": "standard", "period": "annually", "start": day.isoformat(), "total_cost": "99.50"}
    rights |= {"currency": "JPY", "notice_days": 30, "minimum_rights": 0, "auto_renew": True}
    waiting = factories.run(state="queued")
    return {
        "profile_runs": (profile.pk, {"process": "download_subscriptions"}),
        "profile_validate": (profile.pk, {}),
        "run_cancel": (waiting.pk, {}),
        "reconciliation_create": (0, {"day": (day - timedelta(days=1)).isoformat(), "group": "department"}),
        "subscription_propose": (factories.subscription().pk, {"justification": "unlicensed"}),
        "candidate_notes": (other.pk, {"text": "A note"}),
        "candidate_assign": (other.pk, {"assignee": "nobody"}),
        "candidate_close": (other.pk, {"reason": "Needed", "keep_until": day.isoformat()}),
        "batch_create": (0, {"candidates": [ready.pk], "legal_hold": True, "evidence": True, "admins": False}),
        "entitlement_create": (0, rights),
        "entitlement_change": (draft.pk, {"end": None, "unit_cost": "1", "total_cost": None}),
        "entitlement_publish": (draft.pk, {}),
    }
