"""Where the search looks: what each app tells it, and the actions that belong to no app."""

from __future__ import annotations

from profiles import finders as of_profiles
from reclamation import finders as of_reclamation
from samsaas.lib.finders import PageAction
from subscriptions import finders as of_subscriptions

FINDERS = (*of_subscriptions.FINDERS, *of_profiles.FINDERS, *of_reclamation.FINDERS)
BY_KEY = {one.key: one for one in FINDERS}
OWN_ACTIONS = (
    PageAction(label="Invite a colleague", url_name="invitation_new", words="new account user"),
    PageAction(label="Limit an account to some profiles", url_name="sight_new", words="limited sight rows tenant"),
    PageAction(label="New webhook", url_name="webhook_new", words="chat Slack Teams"),
    PageAction(label="New API token", url_name="token_new", words="program Power BI REST"),
    PageAction(label="Choose notifications", url_name="notification_settings", words="mail settings"),
    PageAction(label="Saved views", url_name="view_list", words="lists filters"),
    PageAction(label="Your account", url_name="own_account", words="sessions sign out roles"),
    PageAction(label="Change password", url_name="password_change"),
)
ACTIONS = (*of_profiles.ACTIONS, *of_subscriptions.ACTIONS, *of_reclamation.ACTIONS, *OWN_ACTIONS)
