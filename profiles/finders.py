"""What the one search for everything finds here: profiles and job results, and what can be begun."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from profiles.models import IntegrationProfile, JobRun
from samsaas.lib import search
from samsaas.lib.finders import Finder, PageAction, join_notes


def find_profiles(rows: QuerySet[IntegrationProfile], text: str) -> QuerySet[IntegrationProfile]:
    return search.find(rows, text, "display_name", "team_name").order_by("display_name", "pk")


def find_runs(rows: QuerySet[JobRun], text: str) -> QuerySet[JobRun]:
    """The run with this number, or the latest of the profiles with this name: few names are read, and no long list."""
    if number := search.numbered(text, "#"):
        return rows.filter(number)
    named = find_profiles(IntegrationProfile.objects.all(), text).order_by()
    return rows.filter(profile__in=named.values("pk")).order_by("-pk")


def _describe_run(run: Any) -> str:
    return join_notes(run.profile_name, run.get_state_display().lower())


FINDERS = (
    Finder(
        key="profile",
        label="Profiles",
        icon="plug-connected",
        url_name="profile_detail",
        list_name="profile_list",
        rows=IntegrationProfile.objects.all,
        find=find_profiles,
        note=lambda one: join_notes(one.vendor_info.label, one.team_name),
    ),
    Finder(
        key="run",
        label="Job results",
        icon="clipboard-list",
        url_name="run_detail",
        list_name="run_list",
        rows=JobRun.objects.all,
        find=find_runs,
        note=_describe_run,
        name=lambda one: f"{one.get_process_display()} #{one.pk}",
    ),
)
ACTIONS = (PageAction(label="New direct integration profile", url_name="profile_new", words="connect vendor Dropbox"),)
