"""A view saved on a Monday is there on the next one, for colleagues too, and says when it no longer fits."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from samsaas.lists.catalog import LISTS, PAGES
from samsaas.models import AuditEntry, ListPreference, SavedView
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIST, SAVE, VIEWS, DEFAULT = "/people/", "/lists/views/save/", "/lists/views/", "/lists/views/default/"
KEY = "PersonTable"


@pytest.fixture
def people(db: None) -> None:
    factories.person(name="Anna Müller", department="Sales")
    factories.person(name="Bo Berg", department="Legal")


@pytest.fixture
def ann(signed_in: Any, people: None) -> Any:
    return signed_in("sam_user", username="ann")


@pytest.fixture
def bob(signed_in: Any) -> Any:
    return signed_in("sam_admin", username="bob")


def save(client: Any, name: str = "Sales", query: str = "department=Sales", **more: str) -> Any:
    fields = {"list": KEY, "name": name, "query": query, "back": LIST, **more}
    return client.post(SAVE, fields, follow=True)


def text(client: Any, address: str) -> str:
    return pages.text_of(client.get(address, follow=True).content.decode())


def test_a_saved_view_opens_the_list_as_it_was(ann: Any) -> None:
    answer = save(ann, query="department=Sales&sort=-key&page=7&nonsense=1&q=")
    view = SavedView.objects.get()
    assert view.query == "department=Sales&sort=-key", "only what the list's own filter knows, and its order"
    assert answer.redirect_chain[-1][0] == f"{LIST}?department=Sales&sort=-key&saved={view.pk}"
    shown = pages.text_of(answer.content.decode())
    assert (
        "“Sales” was saved." in shown and "View: Sales" in shown and "Anna Müller" in shown and "Bo Berg" not in shown
    )
    assert AuditEntry.objects.get(verb="saved view").object_name == "Sales"


def test_a_view_is_its_owners_until_it_is_shared(ann: Any, bob: Any) -> None:
    save(ann, "Mine")
    save(ann, "Everybody’s", shared="on")
    assert "Everybody’s" in text(bob, LIST) and "Mine" not in text(bob, LIST)
    assert "Mine" in text(ann, VIEWS) and "Mine" not in text(bob, VIEWS)
    private, shared = SavedView.objects.get(name="Mine").pk, SavedView.objects.get(shared=True).pk
    assert bob.get(f"{VIEWS}{private}/").status_code == 404
    assert bob.post(f"{VIEWS}{private}/delete/").status_code == 404
    assert bob.post(f"{VIEWS}{shared}/", {"name": "His"}).status_code == 403, "shared by another, and no admin"
    assert bob.post(SAVE, {"list": KEY, "query": "", "view": shared}).status_code == 403
    assert SavedView.objects.count() == 2 and SavedView.objects.get(shared=True).name == "Everybody’s"


def test_an_admin_may_change_what_is_shared(ann: Any, signed_in: Any) -> None:
    save(ann, shared="on")
    view, admin = SavedView.objects.get(), signed_in("admin")
    admin.post(f"{VIEWS}{view.pk}/", {"name": "Sales people", "shared": "on"})
    view.refresh_from_db()
    assert (view.name, view.shared, view.owner) == ("Sales people", True, ann.user)
    assert AuditEntry.objects.get(verb="changed view").detail["before"]["name"] == "Sales"
    assert "Sales people" in text(admin, f"{VIEWS}{view.pk}/delete/")
    admin.post(f"{VIEWS}{view.pk}/delete/")
    assert not SavedView.objects.exists() and AuditEntry.objects.filter(verb="deleted view").exists()


def test_a_changed_filter_is_saved_to_the_view_it_came_from(ann: Any) -> None:
    save(ann)
    view = SavedView.objects.get()
    changed = f"{LIST}?department=Legal&saved={view.pk}"
    assert "View: Sales (changed)" in text(ann, changed)
    assert "(changed)" not in text(ann, f"{LIST}?department=Sales&saved={view.pk}")
    save(ann, name="", query="department=Legal", view=str(view.pk))
    view.refresh_from_db()
    assert view.query == "department=Legal" and "(changed)" not in text(ann, changed)


def test_a_list_opens_with_the_view_that_a_person_chose(ann: Any, bob: Any) -> None:
    save(ann, shared="on")
    view = SavedView.objects.get()
    ann.post(DEFAULT, {"list": KEY, "view": view.pk, "back": LIST})
    assert ann.get(LIST)["Location"] == f"{LIST}?department=Sales&saved={view.pk}"
    assert bob.get(LIST).status_code == 200, "the choice is each person's own"
    assert "Bo Berg" in text(ann, f"{LIST}?saved=none"), "all rows are one click away"
    assert f'href="{LIST}?saved=none"' in ann.get(LIST, follow=True).content.decode()
    assert ann.get(f"{LIST}?q=Bo").status_code == 200, "a link with a filter is not overruled"
    ann.post(DEFAULT, {"list": KEY, "back": LIST})
    assert ann.get(LIST).status_code == 200
    assert [one.detail["list"] for one in AuditEntry.objects.filter(verb="opens list with view")] == [KEY, KEY]


def test_a_list_opens_with_all_rows_once_its_view_is_gone(ann: Any, bob: Any) -> None:
    save(ann, shared="on")
    view = SavedView.objects.get()
    bob.post(DEFAULT, {"list": KEY, "view": view.pk})
    ann.post(f"{VIEWS}{view.pk}/", {"name": "Sales"})
    assert not SavedView.objects.get().shared
    assert bob.get(LIST).status_code == 200 and bob.get(VIEWS).status_code == 200
    ann.post(f"{VIEWS}{view.pk}/delete/")
    assert bob.get(LIST).status_code == 200


def test_a_view_whose_choice_has_vanished_says_so(ann: Any) -> None:
    save(ann)
    view = SavedView.objects.get()
    type(factories.person()).objects.filter(department="Sales").update(department="Revenue")
    shown = text(ann, f"{LIST}?department=Sales&saved={view.pk}")
    assert "The view “ Sales ” asks for a choice that no longer exists (Department), so it shows more" in shown
    assert "A choice has vanished" in text(ann, VIEWS)


@pytest.mark.parametrize(
    ("query", "said"),
    [("department=Nowhere", "The filter “Department” was ignored"), ("q=" + "x" * 201, "The filter “Search”")],
)
def test_a_filter_that_the_list_cannot_use_is_not_saved(ann: Any, query: str, said: str) -> None:
    assert said in pages.text_of(save(ann, query=query).content.decode())
    assert not SavedView.objects.exists()


def test_two_views_of_one_person_have_different_names(ann: Any, bob: Any) -> None:
    save(ann)
    assert "You have a view of this list with this name" in pages.text_of(save(ann, query="").content.decode())
    assert "Give the view a name" in pages.text_of(save(ann, name=" \u200b ").content.decode())
    save(bob)
    assert SavedView.objects.count() == 2


def test_nobody_saves_without_an_end(ann: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("samsaas.lists.view_pages.MOST_VIEWS", 1)
    save(ann)
    save(ann, "Another")
    assert SavedView.objects.get().name == "Sales"


def test_a_name_of_a_colleague_is_inert(ann: Any, bob: Any) -> None:
    save(ann, "<script>alert(1)</script>", shared="on")
    for address in (f"{LIST}?saved={SavedView.objects.get().pk}", VIEWS):
        assert "<script>alert" not in bob.get(address).content.decode()


@pytest.mark.parametrize("key", ["", "NoSuchTable", "AuditTable"])
def test_a_list_without_views_is_not_found(ann: Any, key: str) -> None:
    assert ann.post(SAVE, {"list": key, "name": "x"}).status_code == 404
    assert ann.post(DEFAULT, {"list": key}).status_code == 404


@pytest.mark.parametrize("view", ["x", "9" * 400, "٣", "-1", "999"])
def test_a_view_that_does_not_exist_is_not_found(ann: Any, view: str) -> None:
    assert ann.post(SAVE, {"list": KEY, "view": view}).status_code == 404
    assert ann.post(DEFAULT, {"list": KEY, "view": view}).status_code == 404
    assert ann.get(LIST, {"saved": view}).status_code == 200


def test_views_go_with_their_account_unless_they_are_shared(ann: Any, bob: Any) -> None:
    save(ann, "Mine")
    save(ann, "Shared", shared="on")
    ann.post(DEFAULT, {"list": KEY, "view": SavedView.objects.get(shared=True).pk})
    ann.user.delete()
    assert [(one.name, one.owner) for one in SavedView.objects.all()] == [("Shared", None)]
    assert "An account that was deleted" in text(bob, VIEWS) and not ListPreference.objects.exists()


def test_nonsense_in_the_address_gives_a_page(ann: Any) -> None:
    for query in worlds.nonsense(("list",)):
        assert ann.get(f"{VIEWS}?{query}").status_code in (200, 400, 414), query


def test_the_views_cost_the_same_for_one_and_for_thirty(ann: Any, django_assert_max_num_queries: Any) -> None:
    def cost(address: str) -> int:
        with django_assert_max_num_queries(100) as asked:
            assert ann.get(address).status_code == 200
        return len(asked)

    save(ann, query="state=active")
    before = cost(LIST)
    for number in range(29):
        save(ann, f"View {number}", query="state=active")
    assert cost(LIST) == before


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
def test_every_list_of_the_catalog_is_the_list_of_its_page_and_has_the_menu(page: Any, signed_in: Any) -> None:
    answer = signed_in("admin").get(reverse(page.url_name))
    assert answer.status_code == 200
    if "look" in answer.context:
        assert answer.context["look"].key == page.key and type(answer.context["filter"]) is page.filterset
        assert LISTS[page.key] is page
