"""What counts as use of Dropbox: by who acted and by the kind of event, with the reason for every class.

Source: `team_log.stone` (26 categories, 631 types in August 2026) and Dropbox Help, View activity. Kinds are sorted by
category with exceptions by type; the credit goes to the actor, never to a participant or the context. In doubt an event
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

TABLE = (
    ActivityType(
        label="Working with files and content",
        counts=True,
        reason="The person did something with the product.",
        examples=("file_add", "file_edit", "file_preview", "file_add_comment", "paper_doc_edit", "showcase_created"),
    ),
    ActivityType(
        label="Signing in",
        counts=True,
        reason="A successful sign-in, or a device linked, is made by the person.",
        examples=("login_success", "device_link_success"),
    ),
    ActivityType(
        label="Sharing and requesting files",
        counts=True,
        reason="Made by the person for others.",
        examples=("shared_link_create", "shared_folder_create", "file_request_create"),
    ),
    ActivityType(
        label="Administration",
        counts=True,
        reason="Whatever an administrator does is use of the administrator’s own seat.",
        examples=("member_change_status", "group_create", "team_profile_change_name"),
    ),
    ActivityType(
        label="Signs of life",
        counts=True,
        reason="Weak: a device is online, a password or a second factor was changed. Counted, to be on the safe side.",
        examples=("device_change_ip_desktop", "device_change_ip_web", "logout", "password_change", "tfa_change_status"),
    ),
    ActivityType(
        label="Device sessions",
        counts=True,
        reason="The latest activity a session tells, where the grant allows to ask. A second signal beside the events.",
        examples=("web_session", "desktop_client", "mobile_client"),
    ),
    ActivityType(
        label="Kinds we do not know yet",
        counts=True,
        reason="New categories appear. What a person did counts until somebody has looked; the run names them.",
    ),
    ActivityType(
        label="Failed attempts",
        counts=False,
        reason="Nobody got in; it may not even have been the person.",
        examples=tuple(sorted(FAILURES)),
    ),
    ActivityType(
        label="Received from others",
        counts=False,
        reason="Somebody else sent a file to the person’s folder.",
        examples=tuple(sorted(RECEIVED)),
    ),
    ActivityType(
        label="An administrator wearing the account",
        counts=False,
        reason="“Sign in as” shows the member as the actor, but somebody else was at the keyboard.",
        examples=(SIGN_IN_AS,),
    ),
    ActivityType(
        label="Apps, Dropbox itself, resellers, strangers",
        counts=False,
        reason="Only what a member or an administrator did is credited: a sync bot does not need a seat.",
        examples=("app", "dropbox", "reseller", "anonymous"),
    ),
    ActivityType(
        label="Being a participant",
        counts=False,
        reason="To be added to a group or invited to a folder takes no action of one’s own.",
        examples=("group_add_member", "shared_folder_member"),
    ),
)
