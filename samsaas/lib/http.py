"""What a view may rely on once the default-deny middleware has let a request through."""

from django.contrib.auth.models import User
from django.http import HttpRequest


class SignedInRequest(HttpRequest):
    """A request of an account that holds the role its page asks for."""

    user: User
