"""The WSGI entry point of the web server, and of `manage.py runserver`."""

import os

from samsaas import startup
from samsaas.web_server.application import load_application

GIVE_UP = 3  # gunicorn's own code for "failed to boot": it ends instead of trying again forever

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samsaas.settings")
startup.require_readable_settings(startup.WEB, code=GIVE_UP)
application = load_application()
startup.refuse_unless_usable(startup.WEB, code=GIVE_UP)
