"""The classic navigation of Core UI: every list in its module, as the original's navigator has them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from samsaas import policy


@dataclass(frozen=True, kw_only=True)
class ListLink:
    """One list. `of` names the model as URL names of Core UI do, or the page itself; `query` narrows the list."""

    label: str
    of: str
    query: str = ""
    url: str = ""
    current: bool = False

    @property
    def url_name(self) -> str:
        return f"admin:{self.of}" if self.of in PAGES else f"admin:{self.of}_changelist"


@dataclass(frozen=True, kw_only=True)
class Module:
    """Lists under a heading, and the application it belongs to."""

    application: str
    label: str
    entries: tuple[ListLink, ...]

    @property
    def path(self) -> str:
        return f"{self.application} > {self.label}"


PAGES = {"license_workbench"}
MODULES = (
    Module(
        application="Software Asset",
        label="SaaS License",
        entries=(
            ListLink(label="Direct Integration Profiles", of="profiles_integrationprofile"),
            ListLink(label="Software Subscriptions", of="subscriptions_subscription"),
            ListLink(label="Subscription Activity", of="subscriptions_lastactivity"),
            ListLink(label="Activity Coverage", of="subscriptions_activitycoverage"),
            ListLink(label="Former Values of Subscriptions", of="subscriptions_subscriptionversion"),
            ListLink(label="Software Models", of="subscriptions_softwaremodel"),
            ListLink(label="Subscription Identifiers", of="subscriptions_subscriptionidentifier"),
            ListLink(
                label="Unrecognized Subscription Identifiers",
                of="subscriptions_subscriptionidentifier",
                query="software_model__isempty=1",
            ),
            ListLink(label="Subscription Identifier Exclusion Rules", of="subscriptions_identifierexclusion"),
            ListLink(label="Subscription User Exclusion Rules", of="subscriptions_userexclusion"),
            ListLink(label="Subscription Counts", of="subscriptions_seatcount"),
        ),
    ),
    Module(
        application="Software Asset",
        label="License Workbench",
        entries=(
            ListLink(label="License Workbench", of="license_workbench"),
            ListLink(label="Software Entitlements", of="subscriptions_entitlement"),
            ListLink(label="Entitlement Versions", of="subscriptions_entitlementversion"),
            ListLink(label="User Allocations", of="subscriptions_allocation"),
            ListLink(label="Entitlement Imports", of="subscriptions_entitlementimport"),
            ListLink(label="Entitlement Import Lines", of="subscriptions_entitlementimportrow"),
            ListLink(label="Renewal Reminders", of="subscriptions_renewalreminder"),
            ListLink(label="Reconciliation Results", of="subscriptions_reconciliationrun"),
            ListLink(label="Product Results", of="subscriptions_productresult"),
            ListLink(label="Software Model Results", of="subscriptions_modelresult"),
            ListLink(label="License Metric Results", of="subscriptions_metricresult"),
            ListLink(label="Group Results", of="subscriptions_groupresult"),
            ListLink(label="Licensed and Unlicensed Subscriptions", of="subscriptions_seatresult"),
            ListLink(label="Remediation Options", of="subscriptions_remediationoption"),
            ListLink(label="Use by Day", of="subscriptions_useday"),
        ),
    ),
    Module(
        application="Software Asset",
        label="Reclamation",
        entries=(
            ListLink(label="Reclamation Rules", of="reclamation_reclamationrule"),
            ListLink(label="Reclamation Rule Versions", of="reclamation_ruleversion"),
            ListLink(label="Back Tests", of="reclamation_backtest"),
            ListLink(label="Back Test Findings", of="reclamation_backtestfinding"),
            ListLink(label="Observations", of="reclamation_observation"),
            ListLink(label="Removal Candidates", of="reclamation_removalcandidate"),
            ListLink(label="State Changes", of="reclamation_statechange"),
            ListLink(label="Candidate Notes", of="reclamation_candidatenote"),
            ListLink(label="Exemptions", of="reclamation_exemption"),
            ListLink(label="Notices", of="reclamation_notice"),
            ListLink(label="Notice Texts", of="reclamation_noticetemplate"),
            ListLink(label="Answers of Users", of="reclamation_keepanswer"),
            ListLink(label="Approvals", of="reclamation_approval"),
            ListLink(label="Removal Batches", of="reclamation_removalbatch"),
            ListLink(label="Removal Attempts", of="reclamation_removalattempt"),
            ListLink(label="Removal Switches", of="reclamation_reclamationswitch"),
            ListLink(label="Savings", of="reclamation_savingsentry"),
        ),
    ),
    Module(
        application="Software Asset",
        label="Users of Subscriptions",
        entries=(
            ListLink(label="People", of="subscriptions_person"),
            ListLink(label="People Imports", of="subscriptions_personimport"),
            ListLink(label="User Resolution Rules", of="subscriptions_resolutionrule"),
            ListLink(label="Matches", of="subscriptions_match"),
        ),
    ),
    Module(
        application="Software Asset",
        label="Administration",
        entries=(
            ListLink(label="Connection & Credential Aliases", of="profiles_connectionalias"),
            ListLink(label="Credentials", of="profiles_credential"),
            ListLink(label="Connection Checks", of="profiles_processcheck"),
            ListLink(label="Scheduled Jobs", of="profiles_scheduledjob"),
            ListLink(label="Job Results", of="profiles_jobrun"),
        ),
    ),
    Module(
        application="System",
        label="Security and Mail",
        entries=(
            ListLink(label="Users", of="auth_user"),
            ListLink(label="Roles", of="auth_group"),
            ListLink(label="Audit Trail", of="samsaas_auditentry"),
            ListLink(label="Audit Trail Seals", of="samsaas_auditseal"),
            ListLink(label="Outbox", of="samsaas_mail"),
        ),
    ),
)


def for_request(request: HttpRequest) -> list[Module]:
    """The modules with the lists that this account may open. Empty modules are left out."""
    found = []
    for module in MODULES:
        entries = [_resolve(one, request) for one in module.entries if policy.may(request.user, one.url_name)]
        if entries:
            found.append(replace(module, entries=tuple(entries)))
    return found


def _resolve(entry: ListLink, request: HttpRequest) -> ListLink:
    address = reverse(entry.url_name)
    is_here = request.path.startswith(address) and request.META.get("QUERY_STRING", "") == entry.query
    is_current = is_here if entry.query else request.path.startswith(address)
    return replace(entry, url=f"{address}?{entry.query}" if entry.query else address, current=is_current)


def place_of(model: type[models.Model]) -> tuple[str, str]:
    """The path of the module of a model's list, and the label of the list."""
    of = f"{model._meta.app_label}_{model._meta.model_name}"
    places = ((module.path, entry.label) for module in MODULES for entry in module.entries if entry.of == of)
    return next(places, ("", str(model._meta.verbose_name_plural).capitalize()))
