"""The WSGI entry point for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from samsaas import startup

GIVE_UP = 3  # gunicorn's own code for "failed to boot": it ends instead of trying again forever

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samsaas.settings")
startup.require_readable_settings(startup.WEB, code=GIVE_UP)
application = get_wsgi_application()
startup.refuse_unless_usable(startup.WEB, code=GIVE_UP)
