"""Dropbox team members as seats. A page is decoded as a whole; only a page with an odd record is read one by one.

Tolerated: unknown fields and tags, missing or null optional fields, impossible dates, long names, fractions of a
second. Set aside: a record without a readable member id, e-mail, status or membership type, because we could not say
what it is. Other identities that are damaged are left out, since repaired they could be somebody else's.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Annotated, Any, TypeVar

import msgspec

from profiles.connectors.base import Admin, Page, Seat, SetAside, plain
from profiles.connectors.moments import possible
from profiles.connectors.text import identity, show_damaged

STATUSES = ("active", "invited", "suspended", "removed")
# Invited and suspended members use a license (Dropbox help, add licenses), so suspending somebody saves nothing. An
# unknown status counts as well: people notice a need that is too high and ask, but not one that is too low.
FREE_STATUSES = ("removed",)
MEMBERSHIPS = ("full", "limited")
FREE_MEMBERSHIPS = ("limited",)

EMAIL, NAME, TAG, IDENTIFIER, EXTERNAL_ID, EXCERPT = 320, 255, 64, 100, 128, 500
MOST_SECONDARY_EMAILS = 20
MOST_ROLES = 20
MOST_DIGITS = 100
UNNAMED = "(unnamed)"
TEAM_ADMIN = "Team admin"
# The role that may do everything. Its name differs: "Team admin" in the specification, "Team" in two live tenants.
FULL_ADMIN_TAG = "team_admin"
FULL_ADMIN_NAMES = ("team admin", "team administrator", "team")
FULL_ADMIN_DESCRIPTION = "manage everything and access all permissions"

# An id is never shortened, since two could become one. Printable ASCII can be stored and compared everywhere. `$` would
# let a line end pass.
ID = r"[!-~]{1,128}"
Id = Annotated[str, msgspec.Meta(pattern=rf"^{ID}\Z")]
_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]
# A cursor is stored and sent back to Dropbox unchanged, so one with other characters must not be used.
Cursor = Annotated[str, msgspec.Meta(pattern=r"^[ -~]*\Z", max_length=16_384)]


class _Tag(msgspec.Struct, gc=False):
    tag: str = msgspec.field(name=".tag")


class _Name(msgspec.Struct, gc=False):
    given_name: str | None = None
    surname: str | None = None
    display_name: str | None = None


class _SecondaryEmail(msgspec.Struct, gc=False):
    email: str | None = None


class _Role(msgspec.Struct, gc=False):
    name: str | None = None
    description: Any = None
    tag: Any = msgspec.field(name=".tag", default=None)


class Profile(msgspec.Struct, gc=False):
    """TeamMemberProfile, as far as we use it."""

    team_member_id: Id
    email: str
    status: _Tag
    membership_type: _Tag
    name: _Name | None = None
    email_verified: bool | None = None
    secondary_emails: list[_SecondaryEmail] | None = None
    external_id: str | None = None
    account_id: str | None = None
    invited_on: _Moment | None = None
    joined_on: _Moment | None = None
    suspended_on: _Moment | None = None


class Member(msgspec.Struct, gc=False):
    """TeamMemberInfoV2."""

    profile: Profile
    roles: list[_Role] | None = None


class MemberListing(msgspec.Struct, gc=False):
    """MembersListV2Result. `has_more` is required: without it a complete listing looks like half of one."""

    members: list[Member]
    has_more: bool
    cursor: Cursor | None = None


class _LooseListing(msgspec.Struct, gc=False):
    members: list[Any]
    has_more: bool
    cursor: Cursor | None = None


class AuthenticatedAdmin(msgspec.Struct, gc=False):
    """TokenGetAuthenticatedAdminResult."""

    admin_profile: Profile


Form = TypeVar("Form")
_listing = msgspec.json.Decoder(MemberListing)
_NO_NAME = _Name()


def page(body: bytes, request_id: str = "") -> Page:
    """Decode one answer of the listing. Raises msgspec.ValidationError or ValueError if it is not a listing at all."""
    try:
        listing = _listing.decode(body)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError):
        return _page_with_odd_records(body, request_id)
    return Page(
        items=[seat(member) for member in listing.members],
        cursor=listing.cursor or "",
        has_more=listing.has_more,
        request_id=request_id,
    )


def seat(member: Member) -> Seat:
    """One member as a seat. It runs a million times in a large download: keep it flat."""
    profile = member.profile
    name = profile.name or _NO_NAME
    tag, kind = profile.status.tag, profile.membership_type.tag
    email, mails, roles = profile.email, profile.secondary_emails, member.roles
    is_whole = not email or bool(identity(email, EMAIL))
    return Seat(
        external_id=profile.team_member_id,
        identifier=kind if kind in MEMBERSHIPS else plain(kind, IDENTIFIER) or UNNAMED,
        email=email if is_whole else show_damaged(email, EMAIL),
        status=tag if tag in STATUSES else "unknown",
        vendor_status=tag if tag in STATUSES else plain(tag, TAG) or UNNAMED,
        consumes_license=tag not in FREE_STATUSES and kind not in FREE_MEMBERSHIPS,
        email_verified=profile.email_verified is True and is_whole,
        display_name=plain(name.display_name or "", NAME).strip() or _joined_name(name),
        given_name=plain(name.given_name or "", NAME),
        surname=plain(name.surname or "", NAME),
        account_id=identity(profile.account_id, EXTERNAL_ID) if profile.account_id else "",
        employee_id=identity(profile.external_id, EXTERNAL_ID) if profile.external_id else "",
        secondary_emails=_addresses(mails[:MOST_SECONDARY_EMAILS]) if mails else (),
        roles=_role_names(roles[:MOST_ROLES]) if roles else (),
        is_admin=bool(roles),
        is_full_admin=bool(roles) and any(map(_is_team_admin, roles or ())),
        assigned_at=possible(profile.joined_on),
        invited_at=possible(profile.invited_on),
        suspended_at=possible(profile.suspended_on),
    )


def admin(profile: Profile) -> Admin:
    """The administrator a token belongs to."""
    tag = profile.status.tag
    return Admin(
        external_id=profile.team_member_id,
        email=plain(profile.email, EMAIL),
        display_name=plain((profile.name or _NO_NAME).display_name or "", NAME),
        status=tag if tag in STATUSES else "unknown",
    )


def _joined_name(name: _Name) -> str:
    """Given name and surname, for a member without a display name; empty if there is nothing of all."""
    return plain(" ".join(part for part in (name.given_name, name.surname) if part), NAME).strip()


def _is_team_admin(role: _Role) -> bool:
    """Whether this is the role that may do everything, however it is written."""
    if role.tag == FULL_ADMIN_TAG or _comparable(role.description) == FULL_ADMIN_DESCRIPTION:
        return True
    return _comparable(role.name) in FULL_ADMIN_NAMES


def _comparable(text: Any) -> str:
    """Words alone, in lower case: blanks, line ends and a full stop do not make another role."""
    return " ".join(text.casefold().replace("_", " ").split()).rstrip(".") if isinstance(text, str) else ""


def _role_names(roles: list[_Role]) -> tuple[str, ...]:
    """The roles as people call them. The role that may do everything has one name, which pages ask for, too."""
    found = (TEAM_ADMIN if _is_team_admin(role) else role.name for role in roles)
    return tuple(text for one in found if one and (text := plain(one, NAME)))


def _addresses(mails: list[_SecondaryEmail]) -> tuple[str, ...]:
    return tuple(address for one in mails if one.email and (address := identity(one.email, EMAIL)))


def raw_page(body: bytes, request_id: str = "") -> Page:
    """An answer of the listing with its records as Dropbox sent them. Raises ValueError if it is not a listing."""
    loose = decode_loosely(body, _LooseListing)
    return Page(items=loose.members, cursor=loose.cursor or "", has_more=loose.has_more, request_id=request_id)


def id_of(record: Any) -> str:
    """The member id of a record that may be of any form; empty where it has none that can be read."""
    found = record.get("profile") if isinstance(record, dict) else None
    member_id = found.get("team_member_id") if isinstance(found, dict) else None
    # A damaged id is nobody's: it would shield an account that does not exist, and let the real one end.
    return member_id if isinstance(member_id, str) and re.fullmatch(ID, member_id) else ""


def _page_with_odd_records(body: bytes, request_id: str) -> Page:
    loose = decode_loosely(body, _LooseListing)
    seats: list[Seat] = []
    set_aside: list[SetAside] = []
    for record in loose.members:
        try:
            seats.append(seat(msgspec.convert(record, Member)))
        except (ValueError, RecursionError) as error:
            set_aside.append(_set_aside(record, str(error)))
    return Page(
        items=seats, set_aside=set_aside, cursor=loose.cursor or "", has_more=loose.has_more, request_id=request_id
    )


def decode_loosely(body: bytes, form: type[Form]) -> Form:
    """Decode a page of which a part is damaged. Raises msgspec.ValidationError or ValueError if it has another form.

    For a lone surrogate or broken UTF-8 in one name msgspec refuses the whole page; the standard decoder does not.
    """
    return msgspec.convert(json.loads(body.decode("utf-8", "replace"), parse_int=_parse_number), form)


def _parse_number(digits: str) -> int | str:
    """An integer, or text where it is too long: Python refuses thousands of digits, and with them the whole page."""
    return int(digits) if len(digits) <= MOST_DIGITS else digits


def _set_aside(record: Any, reason: str) -> SetAside:
    return SetAside(
        reason=plain(reason, 200),
        external_id=id_of(record),
        excerpt=plain(json.dumps(record, ensure_ascii=False)[:EXCERPT], EXCERPT),
    )
