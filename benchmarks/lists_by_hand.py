"""The lists that are measured: what the application is asked, and the SQL one would write oneself for the same page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from subscriptions.activity import last_used
from subscriptions.models import ActivityCoverage, Person, Subscription

PAGE = 50
MOST_FOUND = 10_000
CURRENT = "t.ended_at IS NULL AND NOT t.excluded"
BY_NAME = "t.display_name, t.id"
SEATS = "FROM subscriptions_subscription t"
JOINS = {
    "p": "JOIN profiles_integrationprofile p ON p.id = t.profile_id",
    "i": "JOIN subscriptions_subscriptionidentifier i ON i.id = t.identifier_id",
    "s": "LEFT JOIN subscriptions_softwaremodel s ON s.id = i.software_model_id",
    "a": "LEFT JOIN subscriptions_lastactivity a ON a.subscription_id = t.id",
    "m": "LEFT JOIN subscriptions_match m ON m.subscription_id = t.id",
    "u": "LEFT JOIN subscriptions_person u ON u.id = m.person_id",
}
SHOWN = "t.*, p.display_name, i.identifier, s.product, a.at, u.name"
PEOPLE = "FROM subscriptions_person t"
WITH_SEATS = (
    "t.*, (SELECT count(*) FROM subscriptions_match m JOIN subscriptions_subscription s ON s.id = m.subscription_id "
    "WHERE m.person_id = t.id AND s.ended_at IS NULL AND NOT s.excluded)"
)
HOLDING = (
    "EXISTS (SELECT 1 FROM subscriptions_match m JOIN subscriptions_subscription s ON s.id = m.subscription_id "
    "WHERE m.person_id = t.id AND s.ended_at IS NULL AND NOT s.excluded)"
)
ADDRESSED = (
    "t.id IN (SELECT id FROM subscriptions_person WHERE {person_text} LIKE samsaas_fold('%{text}%') UNION "
    "SELECT person_id FROM subscriptions_personaddress WHERE {address_text} LIKE samsaas_fold('%{text}%'))"
)
AUDIT = "FROM samsaas_auditentry t"
RUNS = "FROM profiles_jobrun t"
CANDIDATES = "FROM reclamation_removalcandidate t"
OPEN = "t.closed_at IS NULL"
CANDIDATE_TEXT = (
    "UPPER(t.display_name) LIKE UPPER('%{text}%') OR UPPER(t.email) LIKE UPPER('%{text}%') OR "
    "UPPER(t.external_id) LIKE UPPER('%{text}%') OR UPPER(t.profile_name) LIKE UPPER('%{text}%')"
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One list: the page's address, and its rows in SQL. `found` is a search, whose hits are counted up to a bound."""

    label: str
    address: str
    where: str
    rows: str = SEATS
    shown: str = SHOWN
    order: str = BY_NAME
    offset: int = 0
    found: bool = False

    def by_hand(self, words: dict[str, Any]) -> tuple[str, str]:
        """The count, with the joins it needs, and the rows of the page, with all that a row says."""
        joins = JOINS if self.rows == SEATS else {}
        needed: list[str] = []
        for alias, join in reversed(joins.items()):
            if any(re.search(rf"\b{alias}\.", text) for text in (self.where, *needed)):
                needed.insert(0, join)
        where = f"WHERE {self.where}".format(**words)
        counted = " ".join([self.rows, *needed, where])
        bounded = f"SELECT count(*) FROM (SELECT 1 {counted} LIMIT {MOST_FOUND + 1}) AS hits"
        shown = " ".join([f"SELECT {self.shown}", self.rows, *joins.values(), where])
        return (
            bounded if self.found else f"SELECT count(*) {counted}",
            f"{shown} ORDER BY {self.order} LIMIT {PAGE} OFFSET {self.offset}",
        )


def words() -> dict[str, Any]:
    """What the lists below leave open: ids, moments, and the text that is searched, as this database writes it."""
    seat = Subscription.objects.select_related("identifier").order_by("pk")[0]
    covered = list(ActivityCoverage.objects.order_by("profile").values_list("profile", "since"))
    newline = "chr(10)" if connection.vendor == "postgresql" else "char(10)"

    def text(*columns: str) -> str:
        return f"samsaas_fold({newline} || " + f" || {newline} || ".join(columns) + ")"

    def day(days_ago: int) -> str:
        return last_used.midnight(timezone.now(), days_ago).isoformat(sep=" ")

    return {
        "profile": seat.profile_id,
        "identifier": seat.identifier_id,
        "model": seat.identifier.software_model_id,
        "account": seat.external_id,
        "email": seat.email,
        "person": Person.objects.order_by("pk")[5].pk,
        "whole": covered[0][0],
        "later": covered[1][0],
        "since": covered[1][1].isoformat(sep=" "),
        "seat_text": text("t.display_name", "t.email", "t.employee_id"),
        "person_text": text("name", "key", "department"),
        "address_text": text("address"),
        "audit_text": text("t.object_name", "t.verb", "t.actor_name"),
        "newline": newline,
        "today": day(0),
        "week": day(7),
        "month": day(30),
        "quarter": day(90),
        "quarter_day": day(90)[:10],
        "leaving": (timezone.localdate() + timedelta(days=0)).isoformat(),
        "text": "large.example",
    }


def seats(label: str, query: str, also: str = "", *, where: str = CURRENT, **more: Any) -> Asked:
    return Asked(
        label=label,
        address=f"/subscriptions/?{query}",
        where=f"{where} AND {also}" if also else where,
        **more,
    )


def search(label: str, text: str) -> Asked:
    return seats(f"search: {label}", f"q={text}", f"{{seat_text}} LIKE samsaas_fold('%{text}%')", found=True)


def sorted_by(label: str, column: str, order: str) -> Asked:
    return seats(f"sorted by {label}", f"sort={column}", order=f"{order}, t.id")


def department_by(label: str, column: str, order: str) -> Asked:
    return seats(
        f"department, sorted by {label}",
        f"department=Department 12&sort={column}",
        "u.department = 'Department 12'",
        order=f"{order}, t.id",
    )


def candidates(label: str, query: str, also: str = "", *, where: str = OPEN, **more: Any) -> Asked:
    return Asked(
        label=f"candidates, {label}",
        address=f"/removal-candidates/?{query}",
        where=f"{where} AND {also}" if also else where,
        rows=CANDIDATES,
        shown="t.*",
        order=more.pop("order", "t.id DESC"),
        **more,
    )


WATCHED = (
    "(t.profile_id = {whole} OR t.profile_id = {later} AND "
    "(a.at >= '{since}' OR a.at IS NULL AND t.assigned_at >= '{since}'))"
)
SHORT = "({{seat_text}} LIKE samsaas_fold('%' || {{newline}} || '{0}%') OR {{seat_text}} LIKE samsaas_fold('% {0}%'))"
LISTS = (
    seats("first page", ""),
    seats("page 200", "page=200", offset=199 * PAGE),
    seats("profile", "profile={profile}", "t.profile_id = {profile}"),
    seats("software model", "model={model}", "i.software_model_id = {model}"),
    seats("unrecognized", "model=null", "i.software_model_id IS NULL"),
    seats("identifier", "identifier={identifier}", "t.identifier_id = {identifier}"),
    seats("status: suspended", "status=suspended", "t.status = 'suspended'"),
    seats("two statuses", "status=suspended&status=invited", "t.status IN ('suspended', 'invited')"),
    seats("assigned before", "assigned_before={quarter_day}", "t.assigned_at < '{quarter}'"),
    seats("department", "department=Department 12", "u.department = 'Department 12'"),
    seats(
        "idle for 31 days",
        "idle_days=31",
        "(t.profile_id = {whole} OR t.profile_id = {later}) AND (a.at IS NULL OR a.at < '{month}') AND "
        "(t.assigned_at IS NULL OR t.assigned_at < '{month}')",
    ),
    seats("license used", "license=yes", "t.consumes_license"),
    seats("license not used", "license=no", "NOT t.consumes_license"),
    seats("ended", "seats=ended", where="t.ended_at IS NOT NULL"),
    seats("excluded", "seats=excluded", where="t.ended_at IS NULL AND t.excluded"),
    seats("all, history too", "seats=all", where="t.id > 0"),
    seats("with user", "user=with", "m.subscription_id IS NOT NULL"),
    seats("without user", "user=without", "m.subscription_id IS NULL"),
    seats("one person", "person={person}", "m.person_id = {person}"),
    seats("one address", "address={email}", "t.compared_email = '{email}'"),
    seats("activity: today", "activity=today", "a.at >= '{today}'"),
    seats("activity: 8 to 30 days ago", "activity=month", "a.at < '{week}' AND a.at >= '{month}'"),
    seats("activity: over 90 days ago", "activity=older", "a.at < '{quarter}'"),
    seats("activity: none known", "activity=none", f"a.at IS NULL AND {WATCHED}"),
    seats("activity: not covered", "activity=uncovered", f"a.at IS NULL AND NOT COALESCE({WATCHED}, false)"),
    seats("coverage gap", "coverage=gap", f"NOT COALESCE({WATCHED}, false)"),
    search("one hit", "weiss99912"),
    search("thousands", "noah.weiss"),
    search("more than 10,000", "weiss"),
    search("everybody", "large.example"),
    search("nobody", "zzzqqq"),
    search("part of a number", "77777"),
    seats("search: a vendor id", "q={account}", "t.profile_id > 0 AND t.external_id = '{account}'", found=True),
    seats("search: one letter", "q=a", SHORT.format("a"), found=True),
    seats("search: two letters", "q=zo", SHORT.format("zo"), found=True),
    seats("search: two letters, nobody", "q=zq", SHORT.format("zq"), found=True),
    search("two Chinese characters", "王伟"),
    seats("sorted by name, backwards", "sort=-display_name", order="t.display_name DESC, t.id DESC"),
    sorted_by("address", "email", "t.compared_email"),
    # No longer list is sorted by anything else: `limit_orders` of samsaas/lib/tables.py offers what an index serves.
    department_by("software model", "software_model", "s.edition"),
    department_by("user", "user", "u.name"),
    department_by("last activity", "last_activity", "a.at"),
    department_by("most inactive", "-inactive_days", "a.at"),
    Asked(
        label="without user, work list",
        address="/subscriptions-without-user/",
        where=f"{CURRENT} AND m.subscription_id IS NULL",
    ),
    Asked(
        label="without user, search",
        address="/subscriptions-without-user/?q=weiss",
        where=f"{CURRENT} AND m.subscription_id IS NULL AND {{seat_text}} LIKE samsaas_fold('%weiss%')",
        found=True,
    ),
    Asked(label="people", address="/people/", where="t.id > 0", rows=PEOPLE, shown=WITH_SEATS, order="t.name, t.id"),
    Asked(
        label="people, department",
        address="/people/?department=Department 12",
        where="t.department = 'Department 12'",
        rows=PEOPLE,
        shown=WITH_SEATS,
        order="t.name, t.id",
    ),
    Asked(
        label="people, left",
        address="/people/?state=left",
        where="t.left_on < '{leaving}'",
        rows=PEOPLE,
        shown=WITH_SEATS,
        order="t.name, t.id",
    ),
    Asked(
        label="people, without seats",
        address="/people/?seats=without",
        where=f"NOT {HOLDING}",
        rows=PEOPLE,
        shown=WITH_SEATS,
        order="t.name, t.id",
    ),
    Asked(
        label="people, search: one hit",
        address="/people/?q=emp-12345",
        where=ADDRESSED.replace("{text}", "emp-12345"),
        rows=PEOPLE,
        shown=WITH_SEATS,
        order="t.name, t.id",
        found=True,
    ),
    Asked(
        label="people, search: everybody",
        address="/people/?q={text}",
        where=ADDRESSED,
        rows=PEOPLE,
        shown=WITH_SEATS,
        order="t.name, t.id",
        found=True,
    ),
    Asked(label="audit trail", address="/audit/", where="t.id > 0", rows=AUDIT, shown="t.*", order="t.at DESC, t.id"),
    Asked(
        label="audit trail, action",
        address="/audit/?verb=matched",
        where="t.verb = 'matched'",
        rows=AUDIT,
        shown="t.*",
        order="t.at DESC, t.id",
    ),
    Asked(
        label="audit trail, search",
        address="/audit/?q=person.12345",
        where="{audit_text} LIKE samsaas_fold('%person.12345%')",
        rows=AUDIT,
        shown="t.*",
        order="t.at DESC, t.id",
        found=True,
    ),
    candidates("open", ""),
    candidates("page 200", "page=200", offset=199 * PAGE),
    candidates("awaiting user", "state=awaiting_user", where="t.state = 'awaiting_user'"),
    candidates("closed", "state=closed", where="t.closed_at IS NOT NULL"),
    candidates("profile", "profile={profile}", "t.profile_id = {profile}"),
    candidates("reason", "reason=leaver", "t.reason = 'leaver'"),
    candidates("sorted by name", "sort=display_name", order="t.display_name, t.id"),
    candidates(
        "search: one hit", "q=person77777@", f"({CANDIDATE_TEXT.replace('{text}', 'person77777@')})", found=True
    ),
    candidates("search: everybody", "q={text}", f"({CANDIDATE_TEXT})", found=True),
    Asked(label="job results", address="/runs/", where="t.id > 0", rows=RUNS, shown="t.*", order="t.id DESC"),
)
