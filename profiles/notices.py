"""The banners of a profile's page: what is wrong, what it means for the data, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q, prefetch_related_objects

from profiles.connectors import base, tokens
from profiles.jobs.process import refreshing_keys
from profiles.models import Credential, IntegrationProfile, JobRun, ProcessCheck, ScheduledJob
from profiles.models.run import VALIDATE
from profiles.oauth import scopes
from samsaas.lib.person_zone import describe_moment
from samsaas.lib.sight import Sight

WRONG_SECRET = tokens.WrongClient.__name__
STALE_AFTER = timedelta(hours=36)
NEXT_STEP = (
    "The profile has no access and refresh token yet. Press Get OAuth Token and allow access as a team administrator."
)
KEPT = (
    "The stored access is kept, and the data stays as it is. Copy the app secret from the vendor’s app console "
    "into Client secret on the form and save; the next refresh goes on without a new consent."
)
NOT_TRIED_YET = (
    "The client secret was changed after the last try, and the next refresh uses it. To try it now, press Validate "
    "Connection."
)
SILENT = "Nothing is refreshed until an administrator presses Get OAuth Token again. The data stays as it is."
PRESS_VALIDATE = (
    "Press Validate Connection: it tries every enabled process, and publishes the profile when the download works."
)
NOT_TRIED = f"This connection has not been validated yet, so nothing is refreshed. {PRESS_VALIDATE}"
CHANGED = (
    "A process was switched on or off since the last validation, so the profile is a draft again and nothing is "
    f"refreshed. {PRESS_VALIDATE}"
)
PAUSED = (
    "Nothing is refreshed daily until somebody resumes the scheduled job under Jobs and coverage. "
    "The data stays as it is."
)
NO_FILE_EVENTS = (
    "The vendor’s plan records no file events, only sign-ins, sharing and devices. "
    "People who only sync files look idle."
)
NEVER_PULLED = (
    "Pull user activity is switched off, so the use of these subscriptions is unknown and no idle subscription can be "
    "found."
)
OFF = (
    "Pull user activity is switched off. The activity pulled until {until} is kept and shown. Use since then is "
    "unknown, so no idle subscription can be found."
)
UNNAMED = "Another profile"
TWICE = (
    "Every subscription of that team is listed and counted twice. "
    "Delete one of the profiles, or connect it to another team."
)


@dataclass(frozen=True)
class ProfileNotice:
    """A banner: its tone, a title that says what is wrong, and a text that says what it means and what to do."""

    tone: str
    title: str
    text: str
    run: JobRun | None = None


def for_profile(
    profile: IntegrationProfile,
    main: Credential | None,
    *,
    checks: list[ProcessCheck],
    jobs: list[ScheduledJob],
    validating: bool,
    sight: Sight,
    now: datetime,
) -> list[ProfileNotice]:
    """What needs a person, the most urgent first, then why the use of the seats is not known."""
    ends, others = runs_worth_a_notice([profile]), profiles_on_same_team([profile], sight)[profile.pk]
    urgent = _urgent_notices(
        profile, main, checks=checks, jobs=jobs, ends=ends, others=others, validating=validating, now=now
    )
    return urgent + _unknown_use_notices(profile)


def urgent_by_profile(
    profiles: Sequence[IntegrationProfile], sight: Sight, now: datetime
) -> dict[int, list[ProfileNotice]]:
    """What needs a person, by profile id. It costs as many queries for one profile as for a hundred."""
    prefetch_related_objects(profiles, "alias__credentials", "checks__run", "scheduled_jobs")
    ends: dict[int, list[JobRun]] = {profile.pk: [] for profile in profiles}
    for run in runs_worth_a_notice(profiles):
        ends[run.profile_id or 0].append(run)
    others = profiles_on_same_team(profiles, sight)
    validating = set(JobRun.objects.active().for_process(VALIDATE).values_list("profile", flat=True))
    return {
        profile.pk: _urgent_notices(
            profile,
            next((held for held in profile.alias.credentials.all() if held.purpose == base.SUBSCRIPTIONS), None),
            checks=list(profile.checks.all()),
            jobs=list(profile.scheduled_jobs.all()),
            ends=ends[profile.pk],
            others=others[profile.pk],
            validating=profile.pk in validating,
            now=now,
        )
        for profile in profiles
    }


def _urgent_notices(
    profile: IntegrationProfile,
    main: Credential | None,
    *,
    checks: list[ProcessCheck],
    jobs: list[ScheduledJob],
    ends: list[JobRun],
    others: list[str],
    validating: bool,
    now: datetime,
) -> list[ProfileNotice]:
    connected = bool(main and main.is_connected)
    found = _secret_notices(profile, ends) if main and connected else [_token_notice(main)]
    if connected and not validating:
        found += _validation_notices(profile, checks)
    found += _run_notices([run for run in ends if run.error_kind != WRONG_SECRET])
    if others:
        title = f"{', '.join(others)} is connected to the same team"
        found.append(ProfileNotice("warn", title, TWICE))
    found += _refresh_notices(profile, jobs, now) if connected else []
    found += _scope_notices(profile) if connected else []
    return found


def _unknown_use_notices(profile: IntegrationProfile) -> list[ProfileNotice]:
    """Why the use of the seats is not known, or not completely."""
    if profile.pull_activity:
        return (
            [ProfileNotice("warn", "This plan has no file events", NO_FILE_EVENTS)]
            if profile.file_events is False
            else []
        )
    if profile.activity_refreshed_at is None:
        return [ProfileNotice("idle", "User activity is not covered", NEVER_PULLED)]
    until = describe_moment(profile.activity_refreshed_at)
    return [ProfileNotice("idle", f"User activity is not covered since {until}", OFF.format(until=until))]


def _secret_notices(profile: IntegrationProfile, ends: list[JobRun]) -> list[ProfileNotice]:
    """That the vendor refuses a client secret; after another one was saved, that it has not been tried yet."""
    held = profile.alias.credentials.all()
    refused = [one for one in held if one.is_connected and one.state_reason]
    failed = next((run for run in ends if run.error_kind == WRONG_SECRET), None)
    if refused:
        labels = " and ".join(one.get_purpose_display().lower() for one in refused)
        return [ProfileNotice("bad", f"Client secret refused: {labels}", f"{refused[0].state_reason} {KEPT}", failed)]
    return [ProfileNotice("info", "A new client secret was saved", NOT_TRIED_YET)] if failed else []


def _token_notice(main: Credential | None) -> ProfileNotice:
    if main and main.state == Credential.State.NEW and main.state_reason:
        return ProfileNotice("bad", "Needs authorization", f"{main.state_reason} {SILENT}")
    if main is None or main.state == Credential.State.NEW:
        return ProfileNotice("info", "Next step: Get OAuth Token", NEXT_STEP)
    return ProfileNotice("bad", "Needs authorization", f"{main.state_reason} {SILENT}")


def _validation_notices(profile: IntegrationProfile, checks: list[ProcessCheck]) -> list[ProfileNotice]:
    """What failed in the last validation. For a draft where nothing failed: that it has to be validated."""
    labels = {process.key: process.label for process in profile.enabled_processes}
    failed = [
        ProfileNotice(
            "bad" if profile.status == IntegrationProfile.Status.DRAFT else "warn",
            f"Validation failed: {labels[check.process]}",
            f"{check.message} {check.remedy}",
            check.run,
        )
        for check in checks
        if not check.passed and check.process in labels
    ]
    if failed or profile.status == IntegrationProfile.Status.PUBLISHED:
        return failed
    return [ProfileNotice("warn", "Validation needed", CHANGED if checks else NOT_TRIED)]


def _run_notices(ends: list[JobRun]) -> list[ProfileNotice]:
    """The steps of the refresh whose last run failed, waits for a person, or waits for the end of an outage."""
    found = []
    for run in ends:
        at = describe_moment(run.finished_at or run.created_at)
        label = run.get_process_display()
        if run.state == JobRun.State.FAILED:
            text = f"{run.error_message} {run.error_remedy}"
            found.append(ProfileNotice("bad", f"Last refresh failed on {at}: {label}", text, run))
        elif run.state == JobRun.State.HELD:
            found.append(ProfileNotice("warn", f"Waits for confirmation since {at}: {label}", run.error_message, run))
        elif run.state == JobRun.State.QUEUED and run.not_before:
            reason = run.warnings[-1] if run.warnings else ""
            text = f"{reason} The vendor is not called again before {describe_moment(run.not_before)}.".strip()
            found.append(ProfileNotice("warn", f"The vendor is in trouble: {label}", text, run))
    return found


def runs_worth_a_notice(profiles: Sequence[IntegrationProfile]) -> list[JobRun]:
    """The runs that a banner may be about, the newest first.

    For each step of each profile's refresh: the run that ended last, without canceled ones, and a run that waits for
    the end of a vendor's outage.
    """
    ended = (JobRun.State.SUCCEEDED, JobRun.State.HELD, JobRun.State.FAILED)
    steps = JobRun.objects.filter(profile__in=profiles, process__in=refreshing_keys())
    last = steps.filter(state__in=ended).order_by().values("profile", "process").annotate(last=Max("pk")).values("last")
    waiting = Q(pk__in=steps.filter(state=JobRun.State.QUEUED, outages__gt=0).values("pk"))
    return list(JobRun.objects.filter(Q(pk__in=last) | waiting))


def profiles_on_same_team(profiles: Sequence[IntegrationProfile], sight: Sight) -> dict[int, list[str]]:
    """The names of other profiles that are connected to the same team, by profile id; none beyond the sight."""
    teams: dict[tuple[str, str], list[IntegrationProfile]] = {}
    for one in IntegrationProfile.objects.filter(team_id__in={profile.team_id for profile in profiles} - {""}):
        teams.setdefault((one.vendor, one.team_id), []).append(one)
    return {
        profile.pk: [
            one.display_name if sight is None or one.pk in sight else UNNAMED
            for one in teams.get((profile.vendor, profile.team_id), [])
            if one.pk != profile.pk
        ]
        for profile in profiles
    }


def _refresh_notices(profile: IntegrationProfile, jobs: list[ScheduledJob], now: datetime) -> list[ProfileNotice]:
    """Why a published profile does not keep its data fresh: its refresh is paused, or its data is stale."""
    if profile.status != IntegrationProfile.Status.PUBLISHED:
        return []
    if any(job.paused and job.process == base.DOWNLOAD for job in jobs):
        return [ProfileNotice("idle", "The daily refresh is paused", PAUSED)]
    known = profile.refreshed_at or profile.validated_at
    if known is None or now - known <= STALE_AFTER:
        return []
    text = (
        "No download has been completed since then, so the lists show the data of that day. Look at the last runs "
        "under Jobs and coverage, then press Download subscriptions. If nothing starts, the workers or the beat are "
        "down."
    )
    return [ProfileNotice("warn", f"Data is stale since {describe_moment(known)}", text)]


def _scope_notices(profile: IntegrationProfile) -> list[ProfileNotice]:
    lacking = [row for row in scopes.by_grant(profile) if row.state in ("missing", "not_connected")]
    return [
        ProfileNotice(
            "warn",
            f"{row.process.label} is not ready",
            f"The token lacks {', '.join(row.missing)}. Tick it in the vendor’s app, then press Get OAuth Token."
            if row.connected
            else "Its separate app has not been authorized yet. Press Get OAuth Token for reclamation on Connection.",
        )
        for row in lacking
    ]
