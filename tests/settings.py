"""The settings of the tests: the product's own, in an environment made for them before they are read."""

import os
import secrets
import tempfile

from cryptography.fernet import Fernet

os.environ.update(
    SAMSAAS_ENV_FILE=os.devnull,
    SECRET_KEY=secrets.token_urlsafe(50),
    FIELD_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
    AUDIT_SIGNING_KEY=Fernet.generate_key().decode(),  # 32 random bytes, too
    PUBLIC_URL="http://localhost:8000",
    ALLOWED_HOSTS="localhost,127.0.0.1,testserver",
    SERVE_UNCOLLECTED_STATIC="true",
    CELERY_BROKER_URL="memory://",
    STATIC_ROOT="var",
    DROPBOX_AUTHORIZE_URL="https://sandbox.example/oauth2/authorize",
    DROPBOX_TOKEN_URL="https://sandbox.example/oauth2/token",  # noqa: S106 - an address
    DROPBOX_API_URL="https://sandbox.example",
)

from samsaas.settings import *  # noqa: E402, F403 - the environment comes first

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, as in production: a shared in-memory database has other locks.
    DATABASES["default"]["TEST"] = {"NAME": f"{tempfile.gettempdir()}/samsaas-test-{os.getpid()}.sqlite3"}  # noqa: F405

# Pages that are asked for beside other tests on a busy machine still tell how many rows there are.
COUNT_WITHIN = 20
