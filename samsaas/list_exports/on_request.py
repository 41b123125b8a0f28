"""Answers with a file where a list was asked for one: see `samsaas.lib.list_export`."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from samsaas.lib.http import SignedInRequest
from samsaas.lib.list_export import ExportAsked
from samsaas.lib.selection import SelectionGone
from samsaas.list_exports import answer


class ListExports:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, ExportAsked):
            return answer.run(cast("SignedInRequest", request), exception.export, now=timezone.now())
        if isinstance(exception, SelectionGone):
            messages.error(request, str(exception))
            return redirect(request.path)
        return None
