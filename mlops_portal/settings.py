"""Settings of the portal, read from the environment.

`.env.example` lists every variable. Production is the default mode and refuses to
start when a key is missing or a value is only fit for a demonstration.
"""

import importlib.metadata
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from mlops_portal import rest
from mlops_portal.environment import blob_storage, data_sources
from mlops_portal.schedule import beat_schedule

# --- Where we are -------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

PORTAL_MODE = env.str("PORTAL_MODE", default="production")
if PORTAL_MODE not in {"production", "demo", "development", "test"}:
    raise ImproperlyConfigured(
        f"PORTAL_MODE is {PORTAL_MODE!r}; use production, demo, development or test."
    )
IS_PRODUCTION = PORTAL_MODE == "production"
try:
    PORTAL_VERSION = importlib.metadata.version("mlops-portal")
except importlib.metadata.PackageNotFoundError:
    PORTAL_VERSION = "0.1.0"

# --- Security -----------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["localhost", "127.0.0.1"]
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CSRF_FAILURE_VIEW = "apps.core.views.csrf_failure"

# Seals each audit event at its append; the database must never hold it.
AUDIT_MAC_KEY = env.str("AUDIT_MAC_KEY", default="")
# The name under which the sealer signs the trail, and its private key.
AUDIT_ORIGIN = env.str("AUDIT_ORIGIN", default="mlops-portal.example/audit/1")
AUDIT_SIGNING_KEY_FILE = Path(
    env.str(
        "AUDIT_SIGNING_KEY_FILE",
        default=str(BASE_DIR / "var" / "sealer" / "signing.key"),
    )
)
# Where the sealed trail is sent; see docs/guide/stream-to-a-siem.md.
AUDIT_STREAMS = env.list("AUDIT_STREAMS", default=[])
# Places outside that keep what was signed, and how often silence is broken.
AUDIT_ANCHORS = env.list("AUDIT_ANCHORS", default=[])
AUDIT_HEARTBEAT_SECONDS = env.int("AUDIT_HEARTBEAT_SECONDS", default=60 * 60)
# How long the file of an export can be downloaded.
EXPORT_KEEP_DAYS = env.int("EXPORT_KEEP_DAYS", default=7)

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=12 * 60 * 60)
SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_PRODUCTION else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_PRODUCTION else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Applications -------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "rest_framework",
    "apps.core",
    "apps.access",
    "apps.audit",
    "apps.accounts",
    "apps.jobs",
    "apps.exports",
    "apps.projects",
    "apps.notices",
    "apps.datasets",
    "apps.experiments",
    "apps.training",
    "apps.registry",
    "apps.validation",
    "apps.approvals",
    "apps.mlflow_api",
    "apps.home",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.core.middleware.RequestContextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.audit.middleware.RecordRefusalsMiddleware",
    "apps.mlflow_api.middleware.MlflowErrorsMiddleware",
    "apps.core.middleware.PortalErrorMiddleware",
    "apps.core.middleware.BodyLimitMiddleware",
    "apps.core.middleware.AddressMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "mlops_portal.urls"
WSGI_APPLICATION = "mlops_portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
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
                "apps.home.context.portal",
            ],
            "builtins": ["apps.core.templatetags.portal"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# --- Data ---------------------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default="postgresql:///mlops_portal")}
DATABASES["default"]["CONN_MAX_AGE"] = 0 if PORTAL_MODE == "test" else 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Actions own their transactions; a request-wide one would hide where they begin.
DATABASES["default"]["ATOMIC_REQUESTS"] = False
# Roles of the database for the running processes; `protect_audit_trail` creates them,
# with these passwords. No other process needs the passwords.
DATABASE_ROLES = {
    "app": env.str("DATABASE_APP_ROLE", default="portal_app"),
    "sealer": env.str("DATABASE_SEALER_ROLE", default="portal_sealer"),
    "auditor": env.str("DATABASE_AUDITOR_ROLE", default="portal_auditor"),
}
DATABASE_ROLE_PASSWORDS = {
    "app": env.str("DATABASE_APP_PASSWORD", default=""),
    "sealer": env.str("DATABASE_SEALER_PASSWORD", default=""),
    "auditor": env.str("DATABASE_AUDITOR_PASSWORD", default=""),
}

STORAGE_URL = env.str("STORAGE_URL", default=f"file://{BASE_DIR / 'var' / 'blobs'}")
JOBS_DIR = Path(env.str("JOBS_DIR", default=str(BASE_DIR / "var" / "jobs")))
# A file sent whole, as a form.
UPLOAD_LIMIT_BYTES = env.int("UPLOAD_LIMIT_BYTES", default=500 * 1024 * 1024)
# What a packed file or an archive may hold; a worker needs as much room on its disk.
UNPACKED_LIMIT_BYTES = env.int("UNPACKED_LIMIT_BYTES", default=16 * 1024**3)
# A file sent in chunks: where they wait, how long, and how many of them one may send.
UPLOADS_DIR = Path(env.str("UPLOADS_DIR", default=str(BASE_DIR / "var" / "uploads")))
UPLOAD_TOTAL_LIMIT_BYTES = env.int("UPLOAD_TOTAL_LIMIT_BYTES", default=20 * 1024**3)
UPLOAD_CHUNK_BYTES = env.int("UPLOAD_CHUNK_BYTES", default=16 * 1024 * 1024)
UPLOAD_KEEP_HOURS = env.int("UPLOAD_KEEP_HOURS", default=48)
UPLOADS_OPEN_LIMIT = env.int("UPLOADS_OPEN_LIMIT", default=5)
UPLOADS_OPEN_LIMIT_BYTES = env.int("UPLOADS_OPEN_LIMIT_BYTES", default=40 * 1024**3)
# Free space that uploads leave on the disks they are written to.
STORAGE_RESERVE_BYTES = env.int("STORAGE_RESERVE_BYTES", default=512 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# Bodies that are read piece by piece, by where they are sent.
STREAMED_BODIES = {
    "/api/2.0/mlflow-artifacts/artifacts/": UPLOAD_TOTAL_LIMIT_BYTES,
    "/api/2.0/mlflow-artifacts/mpu/part/": UPLOAD_TOTAL_LIMIT_BYTES,
    "/api/2.0/mlflow/": 36 * 1024 * 1024,
}
# Whether MLflow's clients are told to send files from 500 MB on in parts.
ARTIFACT_PARTS = env.bool("ARTIFACT_PARTS", default=False)
# A data contract has 15 fields for each column; its form stops at 600 columns.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
# Where files may be imported from without a browser.
DATA_SOURCES = data_sources(env.list("DATA_SOURCES", default=[]))

STORAGES = {
    "default": blob_storage(STORAGE_URL),
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PORTAL_MODE in {"production", "demo"}
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Static files -------------------------------------------------------------------

NODE_MODULES = BASE_DIR / "node_modules"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("uswds", NODE_MODULES / "@uswds" / "uswds" / "dist"),
    ("plotly", NODE_MODULES / "plotly.js-cartesian-dist-min"),
]
WHITENOISE_USE_FINDERS = PORTAL_MODE in {"development", "test"}
WHITENOISE_AUTOREFRESH = PORTAL_MODE in {"development", "test"}

# --- People -------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        # NIST SP 800-63B-4, section 3.1.1.2: 15 where the password stands alone.
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation"
        ".UserAttributeSimilarityValidator"
    },
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home:home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = False
GUARDIAN_MONKEY_PATCH_USER = False
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# What `authenticate` is given; axes would look for the model's own field name.
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "apps.accounts.authentication.locked_name"
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "errors/locked_out.html"

# --- REST ---------------------------------------------------------------------------

REST_FRAMEWORK = rest.FRAMEWORK
SPECTACULAR_SETTINGS = rest.SCHEMA

# --- Background work ----------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Whose work a worker takes, and how many jobs at once.
WORKER_QUEUES = env.list(
    "WORKER_QUEUES",
    default=["default", "exports", "ingest", "training", "validation"],
)
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=2)
# So often a worker says that it lives; so long it may be silent; and so long a job may
# still run when its worker is told to stop, before another worker gets it.
WORKER_SIGN_SECONDS = 10
WORKER_SILENT_SECONDS = 45
WORKER_STOP_SECONDS = env.int("WORKER_STOP_SECONDS", default=20)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
JOB_WALL_SECONDS = env.int("JOB_WALL_SECONDS", default=3600)
JOB_MEMORY_BYTES = env.int("JOB_MEMORY_BYTES", default=4 * 1024**3)
JOB_STALE_SECONDS = env.int("JOB_STALE_SECONDS", default=30)
JOB_MAX_ATTEMPTS = env.int("JOB_MAX_ATTEMPTS", default=3)
JOB_THREADS = env.int("JOB_THREADS", default=1)
JOB_CPU_SECONDS = env.int("JOB_CPU_SECONDS", default=4 * JOB_WALL_SECONDS)
JOB_DISK_BYTES = env.int("JOB_DISK_BYTES", default=20 * 1024**3)
JOB_DISK_RESERVE_BYTES = env.int("JOB_DISK_RESERVE_BYTES", default=256 * 1024**2)
JOB_FILES = env.int("JOB_FILES", default=10_000)
JOB_PROCESSES = env.int("JOB_PROCESSES", default=256)
# How the engine is kept apart: auto, or what is allowed, best first; see
# docs/guide/sandbox.md.
JOB_SANDBOX = env.list("JOB_SANDBOX", default=["auto"])
# Whether people's own code may run where only the plain mode works.
JOB_CODE_IN_PLAIN_MODE = env.bool("JOB_CODE_IN_PLAIN_MODE", default=False)
# The scheduler of a Dask cluster for training; empty: all work stays on the worker.
DASK_ADDRESS = env.str("DASK_ADDRESS", default="")
# Content that no row names is removed after this time, which no job takes.
BLOB_UNCLAIMED_SECONDS = max(24 * 60 * 60, 2 * JOB_WALL_SECONDS)
CELERY_TASK_TIME_LIMIT = JOB_WALL_SECONDS + 300
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A message is redelivered only after its task can no longer run; the sweeper
    # brings work back sooner, because the row is the truth.
    "visibility_timeout": JOB_WALL_SECONDS + 600,
    # kombu's defaults look for lost messages only every 100 seconds.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
}
CELERY_BEAT_SCHEDULE = beat_schedule(
    {"jobs.heartbeat": AUDIT_HEARTBEAT_SECONDS, "jobs.sweep": JOB_STALE_SECONDS / 3}
)

# --- Mail ---------------------------------------------------------------------------

# Where people reach the portal, for links in mail and in what webhooks send.
PORTAL_URL = env.str("PORTAL_URL", default="")
# smtp+tls://user:password@host:587 and the like; empty: the portal sends no mail.
EMAIL_URL = env.str("EMAIL_URL", default="")
MAIL_ON = bool(EMAIL_URL)
if MAIL_ON:
    globals().update(env.email_url_config(EMAIL_URL))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="mlops-portal@localhost")

# --- Webhooks -----------------------------------------------------------------------

# Private networks that webhooks may reach all the same, such as 10.20.0.0/16.
WEBHOOK_NETWORKS = env.list("WEBHOOK_NETWORKS", default=[])

# --- Health ---------------------------------------------------------------------------

# What /healthz asks besides the database: a word for each part.
HEALTH_PARTS = {
    "audit": "apps.audit.status.health",
    "protection": "apps.audit.protection.health",
    "sandbox": "apps.jobs.queries.sandbox_health",
    "queues": "apps.jobs.queries.queue_health",
}

# --- What is kept, and how long ------------------------------------------------------

# Months after which a part of the trail may be archived and, by two people, removed.
AUDIT_RETENTION_MONTHS = env.int("AUDIT_RETENTION_MONTHS", default=36)
# Asked for projects whose events stay in the database, each with the reason.
AUDIT_KEEPERS = [
    "apps.projects.queries.projects_at_work",
    "apps.registry.queries.projects_with_live_models",
]
# Asked for what a person stands for with their name, so that it cannot be erased yet.
ERASURE_DUTIES = [
    "apps.approvals.queries.signatures_in_force",
    "apps.approvals.exception_queries.exceptions_in_force",
]
# Told when a person is erased, to take the name out of what repeats it.
ERASURE_STEPS = [
    "apps.approvals.models.forget_signer",
    "apps.approvals.models.forget_exceptional_signer",
    "apps.notices.models.forget_recipient",
]

# --- Language, time, banner ---------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = False
SITE_BANNER = env.str("SITE_BANNER", default="none")

# --- Logs ---------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "apps.core.context.LogContextFilter"}},
    "formatters": {
        "line": {"format": "%(levelname)s %(name)s [%(request_id)s] %(message)s"}
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["context"],
            "formatter": "line",
        }
    },
    # What these would say of every sign-in and task is in the audit trail already.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("axes", "celery.app.trace", "celery.beat", "celery.worker")
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}

# --- No start with unsafe settings --------------------------------------------------

MIN_SECRET_KEY_CHARACTERS = 50
SANDBOX_MODES = {"bubblewrap", "namespaces", "plain"}
MIN_RETENTION_MONTHS = 18  # the database holds to it, too


def _faults() -> list[str]:  # noqa: C901 - a list of single checks
    faults = []
    if not SECRET_KEY:
        faults.append("SECRET_KEY is missing: give a random text of 50 characters.")
    if SITE_BANNER not in {"none", "gov", "mil", "state"}:
        faults.append("SITE_BANNER must be none, gov, mil or state.")
    if MAIL_ON and not PORTAL_URL:
        faults.append("PORTAL_URL is missing: mail leads people to it.")
    if AUDIT_RETENTION_MONTHS < MIN_RETENTION_MONTHS:
        faults.append(f"AUDIT_RETENTION_MONTHS must be {MIN_RETENTION_MONTHS} or more.")
    if JOB_SANDBOX != ["auto"] and not set(JOB_SANDBOX) <= SANDBOX_MODES:
        faults.append(
            "JOB_SANDBOX must be auto, or some of bubblewrap, namespaces and plain."
        )
    if IS_PRODUCTION:
        if DEBUG:
            faults.append("DEBUG is on: unset it in production.")
        if SECRET_KEY and (
            len(SECRET_KEY) < MIN_SECRET_KEY_CHARACTERS
            or SECRET_KEY.startswith(("demo-", "test-", "django-insecure-"))
        ):
            faults.append("SECRET_KEY is short or a demonstration key.")
        if "*" in ALLOWED_HOSTS:
            faults.append("ALLOWED_HOSTS is *: name the hosts people use.")
        faults += [
            f"{name} is missing."
            for name in (
                "DATABASE_URL",
                "REDIS_URL",
                "STORAGE_URL",
                "ALLOWED_HOSTS",
                "AUDIT_MAC_KEY",
            )
            if not env.str(name, default="")
        ]
    return faults


if _found := _faults():
    raise ImproperlyConfigured("The portal does not start. " + " ".join(_found))
