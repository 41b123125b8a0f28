"""What every form says when somebody else was faster: nothing was saved, who it was, and where the newer state is."""

from __future__ import annotations

from django.db import models
from django.forms import BaseForm
from django.utils.html import format_html

from samsaas import audit
from samsaas.lib.http import SignedInRequest
from samsaas.lib.opened_form import OpenedForm
from samsaas.lib.person_zone import describe_moment


def run(request: SignedInRequest, form: BaseForm, target: models.Model, what: str) -> None:
    """Add the error to the form, which keeps what was typed. `what` names the record: “this profile”."""
    last = audit.last_change(target)
    name = last.actor_name if last else ""
    who = "you, in another window" if last and last.actor_id == request.user.pk else name
    text = "Somebody else saved {} meanwhile. Open it again and repeat your change. {} {}"
    by = format_html("It was <bdi>{}</bdi>, at {}.", who, describe_moment(last.at)) if last and who else ""
    link = format_html(
        '<a href="{}" target="_blank" rel="noopener">See it as it is now, in a new tab</a>', request.path
    )
    form.add_error(None, format_html(text, what, by, link))


def refuse(request: SignedInRequest, form: OpenedForm, target: models.Model, what: str) -> bool:
    """Whether the record is another one than the one that was opened; the form says so then."""
    if form.was_overtaken:
        run(request, form, target, what)
        return True
    return False
