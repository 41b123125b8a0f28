"""The type of a request in a view."""

from django.contrib.auth.models import User
from django.http import HttpRequest


class SignedInRequest(HttpRequest):
    """A request that `DefaultDeny` let through: its account has the role that the page requires."""

    user: User
