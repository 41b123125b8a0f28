"""The processes of this app: download, match people, pull activity, also earlier one, import people and
entitlements, reconcile."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs.process import Confirmation, Counter, Link, Process
from profiles.models import IntegrationProfile, JobRun
from profiles.processes import needs_vendor_process
from subscriptions import links, recompute
from subscriptions.activity import pull, pull_earlier, read_further_back
from subscriptions.download import download
from subscriptions.entitlements.imports import steps as entitlement_steps
from subscriptions.matching import match
from subscriptions.people.imports import feed, steps
from subscriptions.reconciliation import reconcile
from subscriptions.rematch import MATCH

NO_SEATS = "Nothing has been downloaded yet, so there is nobody to match."
SKIPPED = {"set_aside": Counter("Skipped", "records that could not be read, see the warnings")}


def _needs_download(profile: IntegrationProfile) -> str:
    return "" if profile.refreshed_at else NO_SEATS


def _is_latest(run: JobRun) -> bool:
    """Whether the lists still show what this run stored: no later run of its process has succeeded."""
    if run.profile is None:
        return False
    last = run.profile.runs.filter(process=run.process, state=JobRun.State.SUCCEEDED).first()
    return last is not None and last.pk == run.pk


def _lists_of_download(run: JobRun) -> dict[str, str]:
    if run.profile is None:
        return {}
    profile = run.profile.pk
    lists = {"ended": links.list_url(profile=profile, ended_by=run.pk)}
    if _is_latest(run):
        lists["seen"] = links.list_url(profile=profile)
        lists["unmatched"] = links.list_url(profile=profile, model=links.UNRECOGNIZED)
    return lists


def _lists_of_matching(run: JobRun) -> dict[str, str]:
    if not _is_latest(run):
        return {}
    return {
        "seen": links.list_url(profile=run.profile_id),
        "without_user": f"{reverse('unmatched_list')}?profile={run.profile_id}",
    }


def _open_subscriptions(run: JobRun) -> list[Link]:
    if run.profile_id is None:
        return []
    return [Link("Open the subscriptions", links.list_url(profile=run.profile_id), "subscription_list")]


def _open_file(run: JobRun) -> list[Link]:
    if run.subject is None:
        return []
    return [Link("Open the file", reverse("person_import_detail", args=[run.subject]), "person_import_detail")]


def _describe_import(run: JobRun) -> str:
    return "The file was read into a preview." if run.counters.get("lines") else "The file was applied."


DOWNLOAD_SUBSCRIPTIONS = Process(
    key=base.DOWNLOAD,
    label="Download subscriptions",
    unit="Subscriptions",
    verb=download.run,
    counters={
        "seen": Counter("Listed", "what the vendor listed: new, changed, returned and unchanged ones"),
        "invited": Counter("Invited", "of those listed", True),
        "suspended": Counter("Suspended", "of those listed", True),
        "counted": Counter(
            "Accounts, per vendor", "the vendor’s own count; it may leave out invited or suspended accounts"
        ),
        "new": Counter("New", "listed for the first time"),
        "changed": Counter("Changed", "listed with other details than last time"),
        "returned": Counter("Returned", "had ended, and are listed again"),
        "unchanged": Counter("Unchanged"),
        "ended": Counter("Ended", "no longer listed; kept as history"),
        "withheld": Counter("Withheld", "missing from the list, but not ended until a person confirms it", True),
        "excluded": Counter("Excluded", "listed, and excluded by a rule", True),
        "unmatched": Counter("Unrecognized", "of a subscription identifier that belongs to no software model"),
        **SKIPPED,
        "unreadable": Counter("Without an id", "skipped records that do not even tell whom they are about", True),
        "removed": Counter("Removed", "listed by the vendor as removed, so not a subscription", True),
        "duplicates": Counter("Listed twice", "the later record counts", True),
        "last_page": Counter("Last page", hidden=True),
    },
    refusal=needs_vendor_process(base.DOWNLOAD),
    done_text="The new list is published.",
    canceled_text="Nothing of it was published; the previous list stays as it is.",
    held_title="A person has to confirm that these subscriptions end",
    confirmation=Confirmation(
        button="Confirm: download again and end these subscriptions",
        question="Download once more and end the subscriptions that the vendor no longer lists?",
        answer="Download and end them",
    ),
    expected_note="expected",
    counter_links=_lists_of_download,
    ways_on=_open_subscriptions,
)
MATCH_PEOPLE = Process(
    key=MATCH,
    label="Match people",
    unit="Subscriptions",
    verb=match.run,
    counters={
        "seen": Counter("Subscriptions", "current ones that were looked at"),
        "matched": Counter("With a user", "by a rule or by hand"),
        "by_hand": Counter("Matched by hand", "kept whatever the rules say"),
        "without_user": Counter("Without a user", "no rule found exactly one person"),
        "matched_anew": Counter("Found now", "had no user before"),
        "matched_otherwise": Counter("Changed user", "a rule found another person than last time", True),
        "unmatched_now": Counter("Lost", "had a user by a rule that now finds nobody, or more than one", True),
        "excluded": Counter("Excluded", "excluded by a rule, so not matched", True),
    },
    refusal=_needs_download,
    done_text="Every subscription was matched by the active rules.",
    counter_links=_lists_of_matching,
    ways_on=_open_subscriptions,
)
PULL_ACTIVITY = Process(
    key=base.ACTIVITY,
    label="Pull user activity",
    unit="Events",
    verb=pull.run,
    counters={
        "read": Counter("Events read", "everything the vendor’s log holds for that time"),
        "counted": Counter("Counted as use", "what a person did with the product"),
        "of_seats": Counter("Of known subscriptions", "counted events whose account is a downloaded subscription"),
        "of_nobody": Counter(
            "Of no known subscription", "counted events of accounts that are gone or were never listed"
        ),
        "not_use": Counter("Not use", "failed attempts and what others sent, see what counts as use"),
        "not_member": Counter("Not by a member", "by an app, an outsider or the vendor itself"),
        "signed_in_as": Counter("Signed in as", "an administrator acting as somebody else: nobody’s use", True),
        "no_actor": Counter("Without an actor", "the vendor does not say who it was", True),
        "unknown_actor": Counter(
            "By unknown actors", "of a kind that this version does not know; they may be somebody’s use", True
        ),
        "repeated": Counter("Sent twice", "the same time, kind and actor; counted once", True),
        "unknown": Counter(
            "Unknown kind",
            "counted, to be safe, though this version does not know the kind; see the warnings",
            True,
        ),
        **SKIPPED,
    },
    refusal=needs_vendor_process(base.ACTIVITY),
    done_text="The activity is read to its end.",
    canceled_text="What was stored before stays; the next run goes on from there.",
    facts={"since": "Read from", "began": "Read until"},
    ways_on=_open_subscriptions,
    found_template="subscriptions/activity/run_coverage.html",
)


def _has_nothing_earlier(profile: IntegrationProfile) -> str:
    return read_further_back.refusal(profile, timezone.now())


PULL_EARLIER_ACTIVITY = Process(
    key=pull_earlier.PULL_EARLIER,
    label="Pull earlier activity",
    unit="Events",
    verb=pull_earlier.run,
    counters=PULL_ACTIVITY.counters,
    refusal=_has_nothing_earlier,
    survives_outages=False,
    done_text="The log is read up to the time that was known before.",
    canceled_text="What was stored before stays; the next run for the same time goes on from there.",
    facts=PULL_ACTIVITY.facts,
    ways_on=_open_subscriptions,
    found_template=PULL_ACTIVITY.found_template,
)
IMPORT_PEOPLE = Process(
    key=steps.IMPORT,
    label="Import people",
    unit="Lines",
    verb=steps.run,
    counters={  # a run reads the file, or applies it
        "lines": Counter("Lines read", "lines of the file below its header: new, changed, unchanged and refused ones"),
        "new": Counter("New people", "whom the directory does not hold yet"),
        "changed": Counter("Changed people", "lines that say something else than the directory"),
        "added": Counter("Added", "people who are new in the directory"),
        "updated": Counter("Updated", "people whose values or addresses changed"),
        "back": Counter("Returned", "people who had left and are listed again"),
        "same": Counter("Unchanged"),
        "refused": Counter("Refused lines", "not applied, each with the reason on the file’s page"),
        "leavers": Counter("Missing", "active people who are not in the file, which lists everybody"),
        "left": Counter("Marked as leavers", "active people who were not in the file, which lists everybody"),
    },
    done_text=_describe_import,
    of_subject=True,
    survives_outages=False,
    canceled_text="Nothing was applied; the directory is as it was.",
    held_title="A person has to look at the file once more",
    ways_on=_open_file,
    start_elsewhere="A file of people is read or applied from its own page.",
)


FETCH_PEOPLE = Process(
    key=feed.FETCH,
    label="Fetch people",
    unit="Files",
    verb=feed.run,
    counters={"files": Counter("Files", "fetched, and read next")},
    done_text="The file was fetched. It is read next, and applied unless a person has to look at it.",
    of_subject=True,
    survives_outages=False,
    canceled_text="Nothing was fetched.",
    start_elsewhere="The file of people is fetched once a day, from where the deployment settings say.",
)


def _open_entitlements(run: JobRun) -> list[Link]:
    if run.subject is None:
        return []
    page = "entitlement_import_detail"
    return [Link("Open the file", reverse(page, args=[run.subject]), page)]


def _describe_entitlements(run: JobRun) -> str:
    if "added" in run.counters:
        return "The entitlements were recorded as drafts. They count when they are published."
    return "The file was read into a preview." if run.counters.get("lines") else "A person has to choose the columns."


IMPORT_ENTITLEMENTS = Process(
    key=entitlement_steps.IMPORT,
    label="Import entitlements",
    unit="Lines",
    verb=entitlement_steps.run,
    counters={  # a run reads the file, or records its lines
        "lines": Counter("Lines read", "lines of the file below its header: new, recorded already and refused ones"),
        "new": Counter("New", "lines that would become a draft"),
        "same": Counter("Recorded already", "lines that say the same as an entitlement, and are skipped"),
        "refused": Counter("Refused lines", "not imported, each with the reason on the file’s page"),
        "added": Counter("Added", "drafts of entitlements"),
        "models": Counter("Software models", "created because the file names them, which a person confirmed"),
    },
    done_text=_describe_entitlements,
    of_subject=True,
    survives_outages=False,
    canceled_text="Nothing was recorded.",
    held_title="A person has to look at the file once more",
    ways_on=_open_entitlements,
    start_elsewhere="A file of entitlements is read or recorded from its own page.",
)


def _open_reconciliation(run: JobRun) -> list[Link]:
    page = "reconciliation_detail"
    return [Link("Open the reconciliation", reverse(page, args=[run.subject]), page)] if run.subject else []


RECONCILE = Process(
    key=recompute.RECONCILE,
    label="Reconcile",
    unit="Steps",
    verb=reconcile.run,
    counters={
        "listed": Counter("Listed", "subscriptions that the vendors listed: counted and aside"),
        "counted": Counter("Counted", "need a right"),
        "aside": Counter("Aside", "excluded, without license, listed twice, unrecognized or not managed"),
        "models": Counter("Software models", "with a position"),
        "out_of_compliance": Counter("Out of compliance", "software models that are short of rights, or have none"),
        "unlicensed": Counter("Not covered", "subscriptions for which no right is left"),
        "unpriced": Counter("Without a price", "software models whose money is not known, and in no total", True),
        "failed": Counter("Failed publishers", "the results of before stand, see the warnings", True),
    },
    done_text="The license position was computed from one moment of everything it rests on.",
    of_subject=True,
    survives_outages=False,
    canceled_text="Nothing of it was stored; the results of before stand.",
    ways_on=_open_reconciliation,
    start_elsewhere="A reconciliation is started from its own page.",
)
PROCESSES = [
    *(DOWNLOAD_SUBSCRIPTIONS, MATCH_PEOPLE, PULL_ACTIVITY, PULL_EARLIER_ACTIVITY),
    *(IMPORT_PEOPLE, FETCH_PEOPLE, IMPORT_ENTITLEMENTS, RECONCILE),
]
