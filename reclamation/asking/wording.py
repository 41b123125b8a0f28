"""The words of the question: the template with its variables, and what is put in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from reclamation.asking import seat_user
from reclamation.models import NoticeTemplate, RemovalCandidate
from samsaas import outbox
from samsaas.lib import mail

NAME, PRODUCT, LAST_USE, UNTIL, LINK, ORGANIZATION = "name", "product", "last_use", "until", "link", "organization"
VARIABLES = {
    NAME: "the user’s name",
    PRODUCT: "the software model",
    LAST_USE: "the day of the last use, or that there was none",
    UNTIL: "the last day to answer",
    LINK: "the link to the page that keeps the subscription",
    ORGANIZATION: "the first of COMPANY_NAMES",
}
BRACES = re.compile(r"\{([^{}]*)\}")
MARKS = re.compile(r"\[(?=link\]|day \+)", re.IGNORECASE)
DEFAULT_SUBJECT = "Do you still need {product}?"
DEFAULT_TEXT = """Hello {name},

{organization} pays for your subscription of {product}, and it does not seem to be in use.
Last use: {last_use}.

If you still need it, open this page until the end of {until} and press Keep:

{link}

If you do not need it, you need not do anything: the subscription is taken back then.

The page asks for no password. All it can do is keep your subscription."""
REMINDER = "Reminder: "
NOBODYS_ORGANIZATION = "Your company"


@dataclass(frozen=True)
class Wording:
    """A subject and a text, with variables or filled in."""

    subject: str
    text: str


def stored() -> NoticeTemplate:
    """The template as it is stored, or an unsaved one with the built-in words."""
    found = NoticeTemplate.objects.select_related("changed_by").filter(kind=NoticeTemplate.ASK).first()
    return found or NoticeTemplate(subject=DEFAULT_SUBJECT, text=DEFAULT_TEXT, version=0)


def problem(subject: str, text: str) -> dict[str, str]:
    """What is wrong with a template, by field; empty if nothing is."""
    found = {"subject": _brace_problem(subject), "text": _brace_problem(text)}
    if LINK in BRACES.findall(subject):
        found["subject"] = "The link cannot stand in the subject: mail servers write subjects into their logs."
    if not found["text"] and LINK not in BRACES.findall(text):
        found["text"] = "The text needs {link}. Without it nobody could answer."
    return {field: words for field, words in found.items() if words}


def _brace_problem(text: str) -> str:
    for name in BRACES.findall(text):
        if name not in VARIABLES:
            known = ", ".join(f"{{{one}}}" for one in VARIABLES)
            return f"There is no variable {{{name[:40]}}}. There are {known}."
    if {"{", "}"} & set(BRACES.sub("", text)):
        return "There is a brace { or } without its other half."
    return ""


def fill(template: Wording, values: Mapping[str, str]) -> Wording:
    """The template with the values in place of its variables. A value cannot bring a variable or a mark of its own."""

    def value_of(found: re.Match[str]) -> str:
        return values.get(found[1], found[0])

    return Wording(mail.one_line(BRACES.sub(value_of, template.subject)), BRACES.sub(value_of, template.text))


def question(candidate: RemovalCandidate, until: str) -> Wording:
    """The question about a candidate. `until` is the last day to answer, in words, or a mark of the outbox."""
    template = stored()
    return fill(Wording(template.subject, template.text), {**values_for(candidate), UNTIL: until, LINK: outbox.LINK})


def values_for(candidate: RemovalCandidate) -> dict[str, str]:
    """What stands for the variables that do not depend on the sending. Nobody else's name is among them."""
    values = {
        NAME: user_name(candidate),
        PRODUCT: product(candidate),
        LAST_USE: last_use(candidate),
        ORGANIZATION: organization(),
    }
    return {name: _harmless(value) for name, value in values.items()}


def user_name(candidate: RemovalCandidate) -> str:
    person = seat_user.person_of(candidate)
    return (person.name if person else candidate.person_name) or candidate.display_name or "there"


def product(candidate: RemovalCandidate) -> str:
    """The software model; where there is none, the vendor."""
    if candidate.software_model:
        return candidate.software_model
    return candidate.profile.vendor_info.label if candidate.profile else "the software"


def last_use(candidate: RemovalCandidate) -> str:
    """The evidence of the opening, in words."""
    known = candidate.evidence
    if known.get("last_activity"):
        return date_in_words(datetime.fromisoformat(known["last_activity"]))
    return "none in all the time that was read" if known.get("covered") else "not known"


def organization() -> str:
    return str(settings.COMPANY_NAMES[0]) if settings.COMPANY_NAMES else NOBODYS_ORGANIZATION


def date_in_words(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%-d %B %Y}"


def _harmless(value: str) -> str:
    """A value on one line, without what the outbox would replace."""
    return MARKS.sub("(", mail.one_line(value))
