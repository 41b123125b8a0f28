"""What of each page a person gets whose sight is limited to some profiles: the table beside `policy.POLICY`.

Every URL name has one kind, and `tests/test_sight.py` fails where one is missing. Deny by default: a page without one is
refused to them, as is one of `WHOLE`.
"""

from __future__ import annotations

from samsaas.lib import sight

FREE = "free"  # not about profiles: the own account, help, what everybody may open
ROWS = "rows"  # a list: it shows the rows of the person's profiles, and counts only those
WHOLE = "whole"  # figures over all profiles, or what all profiles share: refused

FREE_PAGES = (
    *("password_change", "password_change_done", "own_account", "own_sign_out", "own_zone", "mfa_index"),
    *("mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
    *("mfa_list_webauthn", "mfa_add_webauthn", "mfa_remove_webauthn", "help_list", "help_page", "help_image"),
    *("demo_later", "notification_read", "notification_settings", "list_density", "list_columns"),
    *("view_list", "view_save", "view_default", "view_edit", "view_delete"),
    *("token_list", "token_new", "token_revoke", "api_reference"),
    *("admin:login", "admin:logout", "admin:password_change"),
)
ROW_PAGES = ("home",)
# Pages of one row, by the model of the row. A row of another profile is answered as one that is not there.
KEYED_PAGES: dict[str, tuple[str, ...]] = {}
SIGHT: dict[str, str] = (
    dict.fromkeys(FREE_PAGES, FREE)
    | dict.fromkeys(ROW_PAGES, ROWS)
    | {name: model for model, names in KEYED_PAGES.items() for name in names}
)


def kind_of(row: str) -> str:
    """The kind of a page by its row of the policy table: `FREE`, `ROWS`, `WHOLE`, or the model of its key."""
    return SIGHT.get(row, WHOLE)


def is_beyond(user: object, row: str) -> bool:
    """Whether a page is refused to an account because its sight is limited."""
    return kind_of(row) == WHOLE and sight.sight_of(user) is not None
