"""What the one search for everything finds here: removal candidates and reclamation rules, and what can be begun."""

from __future__ import annotations

from django.db.models import QuerySet

from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.models.candidate import CandidateQuerySet
from samsaas.lib import search
from samsaas.lib.finders import Finder, PageAction, join_notes, order_exact_first


def find_candidates(rows: CandidateQuerySet, text: str) -> QuerySet[RemovalCandidate]:
    return order_exact_first(rows.search(text), search.numbered(text, "RC"), "-pk")


def find_rules(rows: QuerySet[ReclamationRule], text: str) -> QuerySet[ReclamationRule]:
    model = ("software_model__publisher", "software_model__product", "software_model__edition")
    return search.find(rows, text, "name", *model).order_by("name", "pk")


FINDERS = (
    Finder(
        key="candidate",
        label="Removal candidates",
        icon="circle-minus",
        url_name="candidate_detail",
        list_name="candidate_list",
        rows=RemovalCandidate.objects.all,
        find=find_candidates,
        note=lambda one: join_notes(one.profile_name, one.get_state_display().lower()),
    ),
    Finder(
        key="rule",
        label="Reclamation rules",
        icon="clock",
        url_name="rule_detail",
        list_name="rule_list",
        rows=lambda: ReclamationRule.objects.select_related("software_model"),
        find=find_rules,
        note=lambda one: join_notes(one.software_model, one.get_mode_display().lower()),
        name=lambda one: str(one.name),
    ),
)
ACTIONS = (
    PageAction(label="New exemption", url_name="exemption_new", words="keep never remove"),
    PageAction(label="Import exemptions", url_name="exemption_import", words="upload file keep"),
    PageAction(label="Switch removals off or on", url_name="removal_switch", words="stop halt emergency"),
    PageAction(label="Text of the question to users", url_name="notice_template", words="mail notice template"),
)
