"""What people choose for their lists: density and columns. Every page goes back to where the person was."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from samsaas.lib.local_path import read_local_path
from samsaas.lists import choose

NO_SUCH_LIST = "There is no such list, so nothing was changed."


def list_density(request: SignedInRequest) -> HttpResponse:
    """Show lists with one line a row, or with room."""
    choose.set_density(request.user, is_compact=request.POST.get("density") != "comfortable")
    return _go_back(request)


def list_columns(request: SignedInRequest) -> HttpResponse:
    """Show the columns that were ticked, or those that the list shows by itself."""
    table_class = tables.find_table(request.POST.get("list", ""))
    if table_class is None:
        messages.error(request, NO_SUCH_LIST)
    elif request.POST.get("do") == "reset":
        choose.reset_columns(request.user, table_class)
    else:
        choose.set_columns(request.user, table_class, request.POST.getlist("column"))
    return _go_back(request)


def _go_back(request: SignedInRequest) -> HttpResponse:
    return redirect(read_local_path(request.POST.get("back"), "/"))
