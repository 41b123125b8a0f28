"""The classic navigation of Core UI: every list in its module, as the original's navigator has them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from samsaas import roles


@dataclass(frozen=True, kw_only=True)
class Entry:
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
    entries: tuple[Entry, ...]

    @property
    def path(self) -> str:
        return f"{self.application} > {self.label}"


PAGES = {"license_workbench"}
MODULES = (
    Module(
        application="Software Asset",
        label="SaaS License",
        entries=(
            Entry(label="Direct Integration Profiles", of="profiles_integrationprofile"),
            Entry(label="Software Subscriptions", of="subscriptions_subscription"),
            Entry(label="Subscription Activity", of="subscriptions_lastactivity"),
            Entry(label="Activity Coverage", of="subscriptions_activitycoverage"),
            Entry(label="Former Values of Subscriptions", of="subscriptions_subscriptionversion"),
            Entry(label="Software Models", of="subscriptions_softwaremodel"),
            Entry(label="Subscription Identifiers", of="subscriptions_subscriptionidentifier"),
            Entry(
                label="Unrecognized Subscription Identifiers",
                of="subscriptions_subscriptionidentifier",
                query="software_model__isempty=1",
            ),
            Entry(label="Subscription Identifier Exclusion Rules", of="subscriptions_identifierexclusion"),
            Entry(label="Subscription User Exclusion Rules", of="subscriptions_userexclusion"),
        ),
    ),
    Module(
        application="Software Asset",
        label="License Workbench",
        entries=(
            Entry(label="License Workbench", of="license_workbench"),
            Entry(label="Software Entitlements", of="subscriptions_entitlement"),
            Entry(label="Entitlement Versions", of="subscriptions_entitlementversion"),
            Entry(label="User Allocations", of="subscriptions_allocation"),
            Entry(label="Entitlement Imports", of="subscriptions_entitlementimport"),
            Entry(label="Reconciliation Results", of="subscriptions_reconciliationrun"),
            Entry(label="Product Results", of="subscriptions_productresult"),
            Entry(label="Software Model Results", of="subscriptions_modelresult"),
            Entry(label="License Metric Results", of="subscriptions_metricresult"),
            Entry(label="Group Results", of="subscriptions_groupresult"),
            Entry(label="Licensed and Unlicensed Subscriptions", of="subscriptions_seatresult"),
            Entry(label="Remediation Options", of="subscriptions_remediationoption"),
        ),
    ),
    Module(
        application="Software Asset",
        label="Reclamation",
        entries=(
            Entry(label="Reclamation Rules", of="reclamation_reclamationrule"),
            Entry(label="Reclamation Rule Versions", of="reclamation_ruleversion"),
            Entry(label="Back Tests", of="reclamation_backtest"),
            Entry(label="Observations", of="reclamation_observation"),
            Entry(label="Removal Candidates", of="reclamation_removalcandidate"),
            Entry(label="State Changes", of="reclamation_statechange"),
            Entry(label="Candidate Notes", of="reclamation_candidatenote"),
            Entry(label="Exemptions", of="reclamation_exemption"),
            Entry(label="Notices", of="reclamation_notice"),
            Entry(label="Notice Texts", of="reclamation_noticetemplate"),
            Entry(label="Answers of Users", of="reclamation_keepanswer"),
            Entry(label="Approvals", of="reclamation_approval"),
            Entry(label="Removal Batches", of="reclamation_removalbatch"),
            Entry(label="Removal Attempts", of="reclamation_removalattempt"),
            Entry(label="Removal Switches", of="reclamation_reclamationswitch"),
            Entry(label="Savings", of="reclamation_savingsentry"),
        ),
    ),
    Module(
        application="Software Asset",
        label="Users of Subscriptions",
        entries=(
            Entry(label="People", of="subscriptions_person"),
            Entry(label="People Imports", of="subscriptions_personimport"),
            Entry(label="User Resolution Rules", of="subscriptions_resolutionrule"),
            Entry(label="Matches", of="subscriptions_match"),
        ),
    ),
    Module(
        application="Software Asset",
        label="Administration",
        entries=(
            Entry(label="Connection & Credential Aliases", of="profiles_connectionalias"),
            Entry(label="Credentials", of="profiles_credential"),
            Entry(label="Connection Checks", of="profiles_processcheck"),
            Entry(label="Scheduled Jobs", of="profiles_scheduledjob"),
            Entry(label="Job Results", of="profiles_jobrun"),
        ),
    ),
    Module(
        application="System",
        label="Security and Mail",
        entries=(
            Entry(label="Users", of="auth_user"),
            Entry(label="Roles", of="auth_group"),
            Entry(label="Audit Trail", of="samsaas_auditentry"),
            Entry(label="Audit Trail Seals", of="samsaas_auditseal"),
            Entry(label="Outbox", of="samsaas_mail"),
        ),
    ),
)


def for_request(request: HttpRequest) -> list[Module]:
    """The modules with the lists that this account may open. Empty modules are left out."""
    found = []
    for module in MODULES:
        entries = [_resolve(one, request) for one in module.entries if roles.may(request.user, one.url_name)]
        if entries:
            found.append(replace(module, entries=tuple(entries)))
    return found


def _resolve(entry: Entry, request: HttpRequest) -> Entry:
    address = reverse(entry.url_name)
    is_here = request.path.startswith(address) and request.META.get("QUERY_STRING", "") == entry.query
    is_current = is_here if entry.query else request.path.startswith(address)
    return replace(entry, url=f"{address}?{entry.query}" if entry.query else address, current=is_current)


def place_of(model: type[models.Model]) -> tuple[str, str]:
    """The path of the module of a model's list, and the label of the list."""
    of = f"{model._meta.app_label}_{model._meta.model_name}"
    places = ((module.path, entry.label) for module in MODULES for entry in module.entries if entry.of == of)
    return next(places, ("", str(model._meta.verbose_name_plural).capitalize()))
