"""The addresses of a resource: its list, one row, and its orders. Their names are those of the policy table."""

from __future__ import annotations

from django.urls import URLPattern, path

from samsaas.api.reading import Resource


def read_routes(folder: str, noun: str, kind: type[Resource], **orders: str) -> list[URLPattern]:
    """The list and one row. `orders` may name the methods that answer `post` at the list and `patch` at the row."""
    list_name, detail_name = f"{noun}_list", f"{noun}_detail"
    of_list = {"get": "list"} | {method: name for method, name in orders.items() if method == "post"}
    of_row = {"get": "retrieve"} | {method: name for method, name in orders.items() if method == "patch"}
    return [
        route(folder, list_name, kind, of_list),
        route(f"{folder}/<int:pk>", detail_name, kind, of_row),
    ]


def route(address: str, name: str, kind: type[Resource], methods: dict[str, str]) -> URLPattern:
    """One address, and which method of the resource answers which method of HTTP."""
    return path(address, kind.as_view(methods, url_name=name), name=name)


def order_route(folder: str, noun: str, kind: type[Resource], method: str) -> URLPattern:
    """An order on one row: `folder/7/method`."""
    return route(f"{folder}/<int:pk>/{method}", f"{noun}_{method}", kind, {"post": method})
