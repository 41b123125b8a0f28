"""Which events count as use of Dropbox, by actor and by kind of event, with the reason for every class.

Source: `team_log.stone` (26 categories, 631 types in August 2026) and Dropbox Help, View activity. Events are classed
by category, with exceptions by type. An event counts for its actor, never for a participant or the context. In doubt it
counts: a seat kept too long costs a license, a seat taken wrongly costs a person's work.
"""

from __future__ import annotations

from enum import Enum

from profiles.connectors.base import ActivityType


class Word(Enum):
    """A word that Dropbox uses for a member of a class. One that nobody told us of is a word of its own.

    Words are compared by identity. The decoder makes no text for one that is known, of which a log has millions.
    """

    @classmethod
    def _missing_(cls, value: object) -> Word:
        word = object.__new__(cls)
        word._name_ = word._value_ = str(value)
        return word


class Category(Word):
    """The categories of events that the specification has."""

    ADMIN_ALERTING = "admin_alerting"
    APPS = "apps"
    COMMENTS = "comments"
    DASH = "dash"
    DATA_GOVERNANCE = "data_governance"
    DEVICES = "devices"
    DOMAINS = "domains"
    ENCRYPTION = "encryption"
    FILE_OPERATIONS = "file_operations"
    FILE_REQUESTS = "file_requests"
    GROUPS = "groups"
    LOGINS = "logins"
    MEMBERS = "members"
    PAPER = "paper"
    PASSWORDS = "passwords"
    PROTECT = "protect"
    REPORTS = "reports"
    SHARING = "sharing"
    SHOWCASE = "showcase"
    SIGNATURES = "signatures"
    SSO = "sso"
    TEAM_FOLDERS = "team_folders"
    TEAM_POLICIES = "team_policies"
    TEAM_PROFILE = "team_profile"
    TFA = "tfa"
    TRUSTED_TEAMS = "trusted_teams"


class Actor(Word):
    """All kinds of actor that Dropbox documents."""

    USER = "user"
    ADMIN = "admin"
    APP = "app"
    RESELLER = "reseller"
    DROPBOX = "dropbox"
    ANONYMOUS = "anonymous"


class Account(Word):
    """Whose account the user or admin of an event has."""

    MEMBER = "team_member"
    OUTSIDER = "non_team_member"
    TRUSTED_OUTSIDER = "trusted_non_team_member"


class Access(Word):
    """The way in: through the vendor's own pages, or signed in as somebody else."""

    END_USER = "end_user"
    SIGN_IN_AS = "sign_in_as"
    CONTENT_MANAGER = "content_manager"
    ADMIN_CONSOLE = "admin_console"
    ENTERPRISE_CONSOLE = "enterprise_console"
    API = "api"


CATEGORIES = frozenset(word.value for word in Category)
FAILURES = frozenset({"login_fail", "sso_error", "emm_error", "account_lock_or_unlocked"})
RECEIVED = frozenset({"file_request_receive_file", "email_ingest_receive_file"})
NO_USE = FAILURES | RECEIVED
ACTORS = (Actor.USER, Actor.ADMIN)
OTHER_ACTORS = tuple(actor for actor in Actor if actor not in ACTORS)
OUTSIDERS = (Account.OUTSIDER, Account.TRUSTED_OUTSIDER)

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
        examples=(Access.SIGN_IN_AS.value,),
    ),
    ActivityType(
        label="Apps, Dropbox itself, resellers, outsiders",
        counts=False,
        reason="Only what a member or an administrator did counts: a sync bot does not need a subscription.",
        examples=tuple(actor.value for actor in OTHER_ACTORS),
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
