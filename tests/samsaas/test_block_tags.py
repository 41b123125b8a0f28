"""Notices and empty lists whose text is longer than a line of a template."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.template import Context, Template

from samsaas.templatetags.ui import row_span
from tests import pages

pytestmark = pytest.mark.one_database


def written(code: str, **known: Any) -> str:
    return Template("{% load ui %}" + code).render(Context(known))


def test_a_notice_holds_title_text_and_action_and_escapes_what_it_is_given() -> None:
    code = '{% notice title tone="bad" action_url="/runs/" action_label="Open" %}Because of {{ who }}.{% endnotice %}'
    page = written(code, title="No <b>", who="<script>")
    assert "notice-bad" in page and '<a class="btn btn-secondary btn-sm" href="/runs/">Open</a>' in page
    assert pages.text_of(page) == "No &lt;b&gt; Because of &lt;script&gt;. Open"


def test_a_notice_without_text_has_no_empty_paragraph() -> None:
    assert written("{% notice 'Title' %}\n  {{ nothing }}\n{% endnotice %}").count("<p>") == 1


def test_an_empty_list_says_what_to_do() -> None:
    code = '{% empty_state "No rule" action_url="/new/" action_label="New" %}Make one.{% endempty_state %}'
    assert pages.text_of(written(code)) == "No rule Make one. New"


@pytest.mark.parametrize(
    ("cut", "words"), [(False, "26–50 of 10,000"), (True, "26–50 of more than 10,000")], ids=("counted", "cut off")
)
def test_a_list_says_which_rows_it_shows(cut: bool, words: str) -> None:
    page = SimpleNamespace(start_index=lambda: 26, end_index=lambda: 50)
    assert row_span(SimpleNamespace(page=page, paginator=SimpleNamespace(count=10_000, is_cut=cut))) == words
