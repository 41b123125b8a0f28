"""The tables of asking: the outbox, and the approvals."""

from __future__ import annotations

from reclamation.models import Approval
from samsaas.lib.columns import ROOMY, MarkupColumn
from samsaas.lib.selection_bar import TickColumn
from samsaas.lib.tables import Table
from samsaas.models import Mail


class NoticeTable(Table):
    caption = "Outbox"
    row_links = True
    filtered_title = "No mail matches"
    empty_title = "No mail yet"
    empty_text = "A mail is written when the user of a removal candidate or an approver is asked, or a renewal is near."

    tick = TickColumn()
    subject = MarkupColumn(
        '<a href="{% url "notice_detail" record.pk %}">{{ record.subject|outside }}</a>'
        '{% load asking %}<span class="sub">{{ record|mail_kind }}</span>',
        attrs=ROOMY,
    )
    to = MarkupColumn("{{ record.to|breakable }}")
    about = MarkupColumn(
        "{% load asking %}{% with one=record|mail_subject %}"
        '{% if one %}<a href="{{ one.get_absolute_url }}">{{ one.number }}</a>{% else %}{{ ""|outside }}{% endif %}'
        "{% endwith %}",
        orderable=False,
    )
    state = MarkupColumn(
        "{% load asking %}{% mail_pill record %}"
        '{% if record.error %}<span class="sub">{{ record.error|outside }}</span>{% endif %}'
    )
    queued_at = MarkupColumn("{{ record.queued_at|when }}", verbose_name="Queued")
    sent_at = MarkupColumn("{{ record.sent_at|when }}", verbose_name="Sent")

    class Meta(Table.Meta):
        model = Mail
        fields = ("tick", "subject", "to", "about", "state", "queued_at", "sent_at")
        order_by = "-queued_at"


class ApprovalTable(Table):
    caption = "Approvals"
    row_links = True
    filtered_title = "No approval matches"
    empty_title = "Nothing waits for an approval"
    empty_text = "A user who wants to keep a subscription, or a removal that needs a second person, is listed here."

    candidate = MarkupColumn(
        '<a href="{% url "approval_decide" record.pk %}">{{ record.candidate.seat_name|outside }}</a>'
        '<span class="sub">{{ record.candidate.number }} · '
        '{{ record.candidate.software_model|default:"Unrecognized" }}</span>',
        attrs=ROOMY,
        orderable=False,
    )
    question = MarkupColumn("{{ record.get_question_display }}")
    asked_of = MarkupColumn(
        "{% load asking %}{{ record|asked_of_words|outside }}"
        '{% if record.is_mine and not record.at %} {% pill "yes" "You" %}{% endif %}',
        verbose_name="Asked",
        orderable=False,
    )
    asked_at = MarkupColumn("{{ record.asked_at|day }}", verbose_name="Since")
    due_at = MarkupColumn("{{ record.due_at|day }}", verbose_name="Due")
    answer = MarkupColumn("{% load asking %}{% approval_pill record %}", orderable=False)

    class Meta(Table.Meta):
        model = Approval
        fields = ("candidate", "question", "asked_of", "asked_at", "due_at", "answer")
