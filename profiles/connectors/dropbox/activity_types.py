"""Which events count as use of Dropbox, by actor and by kind of event, with the reason for every class.

Source: `team_log.stone` (26 categories, 631 types in August 2026) and Dropbox Help, View activity. Events are classed
by category, with exceptions by type. An event counts for its actor, never for a participant or the context. In doubt it
counts: a seat kept too long costs a license, a seat taken wrongly costs a person's work.
"""

from __future__ import annotations

from profiles.connectors.base import ActivityType

CATEGORIES = frozenset(
    (
        "admin_alerting",
        "apps",
        "comments",
        "dash",
        "data_governance",
        "devices",
        "domains",
        "encryption",
        "file_operations",
        "file_requests",
        "groups",
        "logins",
        "members",
        "paper",
        "passwords",
        "protect",
        "reports",
        "sharing",
        "showcase",
        "signatures",
        "sso",
        "team_folders",
        "team_policies",
        "team_profile",
        "tfa",
        "trusted_teams",
    )
)
FAILURES = frozenset({"login_fail", "sso_error", "emm_error", "account_lock_or_unlocked"})
RECEIVED = frozenset({"file_request_receive_file", "email_ingest_receive_file"})
NO_USE = FAILURES | RECEIVED
SIGN_IN_AS = "sign_in_as"
ACTORS = ("user", "admin")
OTHER_ACTORS = ("app", "reseller", "dropbox", "anonymous")  # with ACTORS, all kinds of actor that Dropbox documents
OUTSIDERS = ("non_team_member", "trusted_non_team_member")

# What shows that real Dropbox writes the events of a row so. A row without it is our reading of names in the
# specification.
SPECIFICATION = "Dropbox’s specification of the team log"
HELP = "Dropbox Help: which plans record file events"
REPORT = "A public report about a real team’s log (dropbox-sdk-python, issue 113)"

TABLE = (
    ActivityType(
        label="Working with files and content",
        counts=True,
        reason="The person did something with the product.",
        examples=("file_add", "file_edit", "file_preview", "file_add_comment", "paper_doc_edit", "showcase_created"),
        verified=HELP,
    ),
    ActivityType(
        label="Signing in",
        counts=True,
        reason="The person signed in or linked a device.",
        examples=("login_success", "device_link_success"),
        verified=REPORT,
    ),
    ActivityType(
        label="Sharing and requesting files",
        counts=True,
        reason="The person shared something with others or asked them for files.",
        examples=("shared_link_create", "shared_folder_create", "file_request_create"),
    ),
    ActivityType(
        label="Administration",
        counts=True,
        reason="What an administrator does is use of the administrator’s own subscription. That includes to sign in as "
        "somebody else.",
        examples=("member_change_status", "group_create", "sign_in_as_session_start"),
        verified=SPECIFICATION,
    ),
    ActivityType(
        label="Background activity",
        counts=True,
        reason="A weak sign: a device was online, a password or second factor changed. It counts, to be safe.",
        examples=("device_change_ip_desktop", "device_change_ip_web", "logout", "password_change", "tfa_change_status"),
    ),
    ActivityType(
        label="Device sessions",
        counts=True,
        reason="The latest activity of each session, where the granted scopes allow it. A second signal.",
        examples=("web_session", "desktop_client", "mobile_client"),
    ),
    ActivityType(
        label="Unknown kinds of events",
        counts=True,
        reason="Dropbox adds new categories. Their events count, and the run names them for somebody to look at.",
    ),
    ActivityType(
        label="Failed attempts",
        counts=False,
        reason="Nobody got in, and it may have been somebody else who tried.",
        examples=tuple(sorted(FAILURES)),
    ),
    ActivityType(
        label="Received from others",
        counts=False,
        reason="Somebody else sent a file to the person’s folder.",
        examples=tuple(sorted(RECEIVED)),
    ),
    ActivityType(
        label="Done in an account by an administrator who signed in as its member",
        counts=False,
        reason="“Sign in as” shows the member as the actor (actor “user”, access method “sign_in_as”), but an "
        "administrator was at the keyboard.",
        examples=(SIGN_IN_AS,),
    ),
    ActivityType(
        label="Apps, Dropbox itself, resellers, outsiders",
        counts=False,
        reason="Only what a member or an administrator did counts: a sync bot does not need a subscription.",
        examples=OTHER_ACTORS,
        verified=SPECIFICATION,
    ),
    ActivityType(
        label="Actors of unknown kinds",
        counts=False,
        reason="They may be somebody’s use. The run names them, and while they are more than one event in a hundred, "
        "the time that was read is not called covered.",
    ),
    ActivityType(
        label="Events without an actor",
        counts=False,
        reason="Dropbox leaves the actor out where it does not know who it was. If more than one event in ten is like "
        "that, the time that was read is not called covered.",
        verified=SPECIFICATION,
    ),
    ActivityType(
        label="Being a participant",
        counts=False,
        reason="Somebody else added the person to a group or invited them to a folder.",
        examples=("group_add_member", "shared_folder_member"),
    ),
)
