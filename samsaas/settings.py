"""One settings file; everything that differs between installations comes from the environment.

Safe by default: without any variable set this is a production configuration on SQLite that refuses to start without
keys. `.env.example` lists every variable.
"""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF

from profiles import connectors
from samsaas import beat
from samsaas.environment import Environment
from samsaas.lib.body_limits import LARGEST_FORM
from samsaas.lib.hosts import stands_in
from samsaas.lib.log_lines import to_console

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
env.read_env(os.environ.get("SAMSAAS_ENV_FILE", BASE_DIR / ".env"))

# --- identity of this installation -----------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEYS", default=[])
AUDIT_SIGNING_KEY = env.str("AUDIT_SIGNING_KEY", default="")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
AUDIT_PUBLIC_KEYS = env.list("AUDIT_PUBLIC_KEYS", default=[])
PUBLIC_URL = env.address("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
_public = urlsplit(PUBLIC_URL)
HTTPS = _public.scheme == "https"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_public.hostname or "localhost"])
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
OAUTH_REDIRECT_URL = f"{PUBLIC_URL}/oauth_redirect.do"
OAUTH_PKCE = env.bool("OAUTH_PKCE", default=True)
WORKSPACE = env.bool("WORKSPACE", default=True)

# --- vendors ---------------------------------------------------------------------------------------------------------
DROPBOX_AUTHORIZE_URL = env.address("DROPBOX_AUTHORIZE_URL", default="https://www.dropbox.com/oauth2/authorize")
DROPBOX_TOKEN_URL = env.address("DROPBOX_TOKEN_URL", default="https://api.dropboxapi.com/oauth2/token")
DROPBOX_API_URL = env.address("DROPBOX_API_URL", default="https://api.dropboxapi.com").rstrip("/")
SANDBOX = env.bool("SANDBOX", default=False)

# --- mail ------------------------------------------------------------------------------------------------------------
_mail = env.mail_server("EMAIL_URL")
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]  # without a host, mails are only kept in the outbox
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = bool(_mail.get("EMAIL_USE_TLS", False))
EMAIL_USE_SSL = bool(_mail.get("EMAIL_USE_SSL", False))
EMAIL_TIMEOUT = 20  # seconds; Django's default waits for ever
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="")
MAIL_ANY_HOUR = env.bool("MAIL_ANY_HOUR", default=False)
# Hosts that webhooks may reach although they are in a private network or speak plain http.
WEBHOOK_HOSTS_INSIDE = {host.lower() for host in env.list("WEBHOOK_HOSTS_INSIDE", default=[])}
# Whose addresses may get reports by mail; nobody else may.
REPORT_DOMAINS = {domain.lower() for domain in env.list("REPORT_DOMAINS", default=[])}
RECLAMATION_QUIET_DAYS = env.days("RECLAMATION_QUIET_DAYS")
MAIL_RETENTION_DAYS = env.int("MAIL_RETENTION_DAYS", default=1095, least=30)
RETENTION_DAYS = {
    "ended_subscriptions": env.int("RETAIN_ENDED_SUBSCRIPTIONS_DAYS", default=1095, least=30),
    "leavers": env.int("RETAIN_LEAVERS_DAYS", default=1095, least=30),
    "answers": env.int("RETAIN_ANSWERS_DAYS", default=1095, least=30),
    "imports": env.int("RETAIN_IMPORTS_DAYS", default=365, least=7),
    "sign_ins": env.int("RETAIN_SIGN_INS_DAYS", default=90),
    "invitations": env.int("RETAIN_INVITATIONS_DAYS", default=365),
    "runs": env.int("RETAIN_RUNS_DAYS", default=730, least=30),
    "events": env.int("RETAIN_EVENTS_DAYS", default=180, least=30),
}
# A mail that was only kept has reached nobody. Only where no vendor is a real one does silence after it mean anything.
KEPT_MAILS_COUNT = SANDBOX or all(
    stands_in(vendor.endpoints_from(globals().get).api_url) for vendor in connectors.vendors().values()
)

# --- applications ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "samsaas",
    "profiles",
    "subscriptions",
    "reclamation",
    "samsaas.apps.CoreUIConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "axes",
    "django_filters",
    "django_tables2",
]
MIDDLEWARE = [
    "samsaas.middleware.AnswerHeaders",  # outermost, so that no answer misses them
    "samsaas.middleware.RequestNumber",
    "samsaas.api.middleware.ProblemAnswers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "samsaas.doors.RequestDoor",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    # The role comes before the form: CsrfViewMiddleware reads the body.
    "samsaas.middleware.DefaultDeny",
    "samsaas.middleware.SightDoor",
    "samsaas.doors.FormDoor",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "samsaas.middleware.SessionLimits",
    "samsaas.middleware.SecondFactorRequired",
    "allauth.account.middleware.AccountMiddleware",
    "samsaas.api.middleware.TokenDoor",
    "samsaas.lists.on_request.PersonalLists",
    "samsaas.accounts.on_request.PersonalZones",
    "django.contrib.messages.middleware.MessageMiddleware",
    "samsaas.list_exports.on_request.ListExports",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "samsaas.urls"
WSGI_APPLICATION = "samsaas.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "samsaas.context.frame_context",
            ],
        },
    }
]
# The policy table decides who may call what, and a token's row counts its calls, so the framework's own rules stay off.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["samsaas.api.wire.TokenOwner"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_THROTTLE_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["samsaas.api.bodies.StrictJson"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "samsaas.api.wire.AlwaysJson",
    "EXCEPTION_HANDLER": "samsaas.api.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "samsaas",
    "VERSION": "1",
    "DESCRIPTION": "The REST API of samsaas. docs/api.md explains tokens, pages of rows, errors and limits.",
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": ["samsaas.api.schema.add_errors"],
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
}
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
DJANGO_TABLES2_TEMPLATE = "partials/table.html"

# --- data ------------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'samsaas.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL: readers continue while a job writes. IMMEDIATE: a second writer waits instead of failing in mid-transaction.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384;",
    }
else:
    # Seconds. Without it a host that does not answer blocks a page or a job for minutes.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
# Seconds. A list whose rows take longer to count is shown before they are counted.
COUNT_WITHIN = 0.12
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# In the database, because every process has to see it: limits are counted there, and used codes are remembered.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "samsaas_cache",
        # Django's default of 300 entries would let a stranger push out counts and used codes.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- jobs ------------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.address("CELERY_BROKER_URL", default="memory://")
CELERY_IMPORTS = ["samsaas.background", "samsaas.schedule"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # there are no results, so the beat has none to clean up
CELERY_TASK_ACKS_LATE = False  # the row is the queue: a message may be lost, and none is worth keeping
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # a run does not need the broker to go on
CELERY_WORKER_ENABLE_PREFETCH_COUNT_REDUCTION = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_BROKER_CONNECTION_RETRY = CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # celery's default of 100 ends worker and beat after less than an hour
CELERY_TIMEZONE = "UTC"
# In memory: what is due is decided in the database by the tasks, and a beat without a database survives its outages.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = beat.schedule()
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_WORKER_DISABLE_PREFETCH = True  # a worker whose slots are all busy leaves the message to another one
    # Seconds. A broker that does not answer must not block a page: the run is stored, and the sweeper sends it again.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_timeout": 5,
        "socket_connect_timeout": 1,
        "socket_keepalive": True,
        "health_check_interval": 10,
        # A message is gone once a worker has read it. With acknowledgments in Redis, kombu 5.7 ends the worker (the
        # connection is lost) or leaves it deaf (Redis is silent) when one cannot be sent.
        "ack_emulation": False,
    }
# A run whose worker has been silent for so long is given to another one; workers show themselves four times as often.
JOB_STALE_SECONDS = env.int("JOB_STALE_SECONDS", default=60, least=5)
DAILY_REFRESH_AT = env.time_of_day("DAILY_REFRESH_AT", default="02:00")
# The license position is computed after the last chain of the day, and at this hour at the latest.
RECONCILE_AT = env.time_of_day("RECONCILE_AT", default="06:00")
RECONCILE_EVERY = env.one_of("RECONCILE_EVERY", default="day", words=("day", "week"))
# Where the file of people comes from by itself every day, and whether it lists everybody.
PEOPLE_SOURCE = env.people_source("PEOPLE_SOURCE")
PEOPLE_SOURCE_TOKEN = env.str("PEOPLE_SOURCE_TOKEN", default="")
PEOPLE_SOURCE_AT = env.time_of_day("PEOPLE_SOURCE_AT", default="01:00")
PEOPLE_SOURCE_LISTS_EVERYBODY = env.bool("PEOPLE_SOURCE_LISTS_EVERYBODY", default=False)
# Where each app declares its processes (kinds of job): `profiles.jobs.process.Process`.
JOB_PROCESSES = [
    "profiles.processes.PROCESSES",
    "subscriptions.processes.PROCESSES",
    "reclamation.processes.PROCESSES",
    "samsaas.processes.PROCESSES",
]
JOB_FINISHED_DOORBELL = "samsaas.schedule.follow"
JOB_NEXT_STEP = "samsaas.schedule.next_step"
# What other apps do when a profile is deleted; `profiles` may not import them.
PROFILE_DELETION_STEPS = ["reclamation.skip_with_profile"]
# From where the license position knows of open removal candidates; `subscriptions` may not import them. May be empty.
POSITION_CANDIDATES = "reclamation.open_candidates.find_seats"
# Who knows which profiles an account may see; `samsaas.lib` may not import it.
SIGHT_OF = "profiles.sight.seen.sight_of"

# --- people and sessions ---------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Length and guessability. There is no rule on kinds of characters: it makes passwords hard to remember, not to guess.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "samsaas.passwords.GuessableValidator"},
]
# Names of the company and its brands, which nobody may build a password on. The host of PUBLIC_URL is added.
COMPANY_NAMES = env.list("COMPANY_NAMES", default=[])
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "login", "home", "login"
SESSION_ENGINE = "samsaas.sessions"  # the table holds hashes of the keys
SESSION_IDLE = timedelta(minutes=env.int("SESSION_IDLE_MINUTES", default=30))
SESSION_ABSOLUTE = timedelta(hours=12)
# An act that a stolen session must not be enough for asks for the password again when it was given longer ago.
REAUTHENTICATE_WITHIN = timedelta(minutes=env.int("REAUTHENTICATE_MINUTES", default=15))
# The second factor is a stage of django-allauth's sign-in, which every door goes through.
SECOND_FACTOR_ROLES = env.list("SECOND_FACTOR_ROLES", default=[])
ACCOUNT_ADAPTER = "samsaas.accounts.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_LOGOUT_REDIRECT_URL = "login"
MFA_ADAPTER = "samsaas.second_factor.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_RECOVERY_CODES_SHOW_ONCE = True  # a page that shows them again would give them to a stolen session
MFA_TOTP_ISSUER = "samsaas"
MFA_TOTP_TOLERANCE = 1  # clocks of telephones may be half a minute off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers then allow localhost only
# Single sign-on by OpenID Connect. Groups give roles at every sign-in: "group=role", separated by commas.
OIDC_SERVER_URL = env.address("OIDC_SERVER_URL", default="").rstrip("/")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
OIDC_GROUP_ROLES = env.list("OIDC_GROUP_ROLES", default=[])
# Single sign-on by SAML 2.0, which needs the extra `saml`. Its metadata names the provider, or the three after it do.
SAML_METADATA_URL = env.address("SAML_METADATA_URL", default="")
SAML_IDP_ENTITY_ID = env.str("SAML_IDP_ENTITY_ID", default="")
SAML_SSO_URL = env.address("SAML_SSO_URL", default="")
SAML_IDP_CERTIFICATE = env.str("SAML_IDP_CERTIFICATE", default="")
SAML_ENTITY_ID = env.str("SAML_ENTITY_ID", default="")
SAML_SIGNING_KEY = env.str("SAML_SIGNING_KEY", default="")
SAML_SIGNING_CERTIFICATE = env.str("SAML_SIGNING_CERTIFICATE", default="")
SAML_UID_ATTRIBUTE = env.str("SAML_UID_ATTRIBUTE", default="")
SAML_USERNAME_ATTRIBUTE = env.str("SAML_USERNAME_ATTRIBUTE", default="")
SAML_EMAIL_ATTRIBUTE = env.str("SAML_EMAIL_ATTRIBUTE", default="")
SAML_FIRST_NAME_ATTRIBUTE = env.str("SAML_FIRST_NAME_ATTRIBUTE", default="")
SAML_LAST_NAME_ATTRIBUTE = env.str("SAML_LAST_NAME_ATTRIBUTE", default="")
SAML_GROUPS_ATTRIBUTE = env.str("SAML_GROUPS_ATTRIBUTE", default="groups")
SAML_GROUP_ROLES = env.list("SAML_GROUP_ROLES", default=[])
SSO_ONLY = env.bool("SSO_ONLY", default=False)
SSO_TOKEN_DAYS = env.int("SSO_TOKEN_DAYS", default=30)
SOCIALACCOUNT_ADAPTER = "samsaas.accounts.adapters.SignOnAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # an address is no proof of who somebody is
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "company",
                "name": "Single sign-on",
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_SERVER_URL},
            }
        ],
    },
    "saml": {"APPS": [{"provider_id": "saml", "name": "Single sign-on", "client_id": "saml"}]},
}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # in no cookie that can be read
SESSION_COOKIE_AGE = int(SESSION_ABSOLUTE.total_seconds())
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # with Strict the cookie would be missing when the vendor's consent page redirects back
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
# django-axes stands at the door; samsaas.guessing counts, which has the other limits.
AXES_HANDLER = "samsaas.sign_in.GuessHandler"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_CALLABLE = "samsaas.sign_in.closed_door"
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "samsaas.lib.client_address.client_address"

# --- transport and browser hardening ---------------------------------------------------------------------------------
TRUST_PROXY = env.bool("TRUST_PROXY", default=False)
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
_consent_pages = [
    urlsplit(vendor.endpoints_from(globals().get).authorize_url) for vendor in connectors.vendors().values()
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # Get OAuth Token posts to us and we redirect to the vendor. Browsers apply form-action to that redirect too.
        "form-action": [SELF, *dict.fromkeys(f"{page.scheme}://{page.netloc}" for page in _consent_pages)],
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = LARGEST_FORM
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = [
    "samsaas.lib.uploads.CappedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- words, places, files --------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "samsaas.formats"
TIME_ZONE = env.zone("TIME_ZONE", default="UTC")
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=BASE_DIR / "staticfiles")
WHITENOISE_USE_FINDERS = env.bool("SERVE_UNCOLLECTED_STATIC", default=DEBUG)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- logs: to the console, without secrets, a line a record ----------------------------------------------------------
LOG_LEVEL = env.one_of("LOG_LEVEL", default="INFO", words=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOG_FORMAT = env.one_of("LOG_FORMAT", default="line", words=("line", "json"))
LOGGING = to_console(LOG_LEVEL, LOG_FORMAT)
