"""Profiles, aliases, job runs and scheduled jobs in the REST API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from rest_framework.request import Request
from rest_framework.response import Response

from profiles.connectors import base
from profiles.filters import ProfileFilter
from profiles.jobs import queue, start
from profiles.jobs.filters import RunFilter
from profiles.models import ConnectionAlias, Credential, IntegrationProfile, JobRun, ScheduledJob
from profiles.models.run import VALIDATE
from samsaas.api.orders import fill_form, order
from samsaas.api.problems import Conflict
from samsaas.api.reading import Resource, find_row
from samsaas.api.routes import order_route, read_routes
from samsaas.api.rows import AccountName, ApiRow, Text

OVER = "This run is over already."


class ProfileRow(ApiRow):
    class Meta:
        model = IntegrationProfile
        fields = (
            *("id", "vendor", "display_name", "alias", "status", "attention", "pull_activity", "reclaim"),
            *("analyze_activity_from", "team_id", "team_name", "licenses_reported", "seats_provisioned_reported"),
            *("seats_used_reported", "reported_at", "refreshed_at", "validated_at", "activity_refreshed_at"),
            *("created_at", "updated_at"),
        )


class RunRow(ApiRow):
    requested_by = AccountName()

    class Meta:
        model = JobRun
        fields = (
            *("id", "profile", "profile_name", "process", "trigger", "requested_by", "logical_date", "state"),
            *("created_at", "started_at", "finished_at", "step", "pages", "items", "expected_items", "retries"),
            *("counters", "warnings", "error_kind", "error_message", "error_remedy", "error_endpoint"),
            *("error_status", "error_request_id"),
        )


class CredentialRow(ApiRow):
    """A credential without anything that is secret."""

    class Meta:
        model = Credential
        fields = ("purpose", "state", "state_reason", "granted_scopes", "team_name", "authorized_at", "expires_at")


class AliasRow(ApiRow):
    credentials = CredentialRow(many=True, read_only=True)

    class Meta:
        model = ConnectionAlias
        fields = (
            *("id", "name", "vendor", "parent", "page_size", "requests_per_minute", "attempts", "refresh_at", "zone"),
            *("reclaim_quota", "reclaim_ceiling", "created_at", "credentials"),
        )


class ScheduledJobRow(ApiRow):
    local_time = Text(help_text="When it runs: its own time, the alias's or the installation's.")
    local_zone = Text()

    class Meta:
        model = ScheduledJob
        fields = ("id", "profile", "process", "paused", "refresh_at", "zone", "local_time", "local_zone", "created_at")


class RunForm(forms.Form):
    """Which process to start."""

    process = forms.ChoiceField(choices=[(base.DOWNLOAD, "Download subscriptions"), (base.ACTIVITY, "Pull activity")])


class Profiles(Resource):
    """Direct integration profiles."""

    model, serializer_class, filterset = IntegrationProfile, ProfileRow, ProfileFilter

    @order(form=RunForm, answer=RunRow, status=HTTPStatus.CREATED, may_exist=True)
    def runs(self, request: Request, pk: int, body: dict[str, Any]) -> Any:
        """Start a process of the profile. If it is under way, the answer is its run, with 200."""
        return start_process(self, request, pk, fill_form(RunForm, body).cleaned_data["process"])

    @order(form=forms.Form, answer=RunRow, status=HTTPStatus.CREATED, may_exist=True)
    def validate(self, request: Request, pk: int, body: dict[str, Any]) -> Any:
        """Validate Connection: try every enabled process. If that is under way, the answer is its run, with 200."""
        fill_form(forms.Form, body)
        return start_process(self, request, pk, VALIDATE)


def start_process(view: Resource, request: Request, pk: int, process: str) -> JobRun | Response:
    """A new run, or the answer with the one that is under way. Raises `Conflict` where it cannot start."""
    profile = find_row(view, pk)
    try:
        run, fresh = start.run(profile, process, by=request.user)
    except start.NotReady as reason:
        raise Conflict(str(reason)) from reason
    if run is None:
        raise Conflict("It has ended in this moment. Ask once more.")
    return run if fresh else Response(RunRow(run).data)


class Aliases(Resource):
    """Connection & credential aliases, without what is secret."""

    model, serializer_class, fetched = ConnectionAlias, AliasRow, ("credentials",)


class Runs(Resource):
    """Job results."""

    model, serializer_class, filterset, related = JobRun, RunRow, RunFilter, ("requested_by",)

    @order(form=forms.Form, answer=RunRow)
    def cancel(self, request: Request, pk: int, body: dict[str, Any]) -> Any:
        """Stop a run: at once if it waits, and at its next page if it is running."""
        fill_form(forms.Form, body)
        run = find_row(self, pk)
        if not queue.cancel(run, by=request.user):
            raise Conflict(OVER)
        return find_row(self, pk)


class ScheduledJobs(Resource):
    """Scheduled jobs: the daily download and activity of each profile."""

    model, serializer_class, related = ScheduledJob, ScheduledJobRow, ("profile__alias__parent",)


patterns = [
    *read_routes("profiles", "profile", Profiles),
    order_route("profiles", "profile", Profiles, "runs"),
    order_route("profiles", "profile", Profiles, "validate"),
    *read_routes("aliases", "alias", Aliases),
    *read_routes("runs", "run", Runs),
    order_route("runs", "run", Runs, "cancel"),
    *read_routes("scheduled-jobs", "scheduled_job", ScheduledJobs),
]
