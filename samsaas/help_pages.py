"""Help: the documents of this release, shown in the product, and the pictures in them."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render

from samsaas import handbook
from samsaas.lib.http import SignedInRequest


def help_list(request: SignedInRequest) -> HttpResponse:
    """Every document, by title."""
    return render(request, "samsaas/help_list.html", {"documents": handbook.titles()})


def help_page(request: SignedInRequest, document: str) -> HttpResponse:
    """One document."""
    title = handbook.titles().get(document)
    if title is None:
        raise Http404
    return render(request, "samsaas/help_page.html", {"title": title, "text": handbook.render(document)})


def help_image(request: SignedInRequest, name: str) -> FileResponse:
    """A picture of a document; nothing else in its folder is served."""
    if name not in handbook.pictures():
        raise Http404
    return FileResponse((handbook.DOCS / "images" / name).open("rb"), content_type="image/png")
