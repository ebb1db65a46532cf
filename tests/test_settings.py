"""What the settings do with an environment; each is read by a fresh process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

PRODUCTION = {
    "PORTAL_MODE": "production",
    "SECRET_KEY": "k" * 50,
    "DATABASE_URL": "postgresql://portal:secret@127.0.0.1/portal",
    "REDIS_URL": "redis://127.0.0.1/0",
    "STORAGE_URL": "file:///data/blobs",
    "ALLOWED_HOSTS": "portal.example.gov",
    "AUDIT_MAC_KEY": "m" * 50,
}
TELL = """
import json, sys
from mlops_portal import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def start(environment: dict[str, str], *names: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", TELL, *names],
        cwd=settings.BASE_DIR,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def told(environment: dict[str, str], *names: str) -> dict:
    process = start(environment, *names)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def fault(**changes: str) -> str:
    process = start({**PRODUCTION, **changes})
    assert process.returncode != 0
    return process.stderr.splitlines()[-1]


def test_production_is_strict():
    found = told(
        PRODUCTION,
        "DEBUG",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
        "ALLOWED_HOSTS",
    )

    assert found == {
        "DEBUG": False,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "ALLOWED_HOSTS": ["portal.example.gov"],
    }


def test_production_is_the_default_mode():
    process = start({})

    assert process.returncode != 0
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "STORAGE_URL"):
        assert f"{name} is missing" in process.stderr
    assert "ALLOWED_HOSTS is missing" in process.stderr


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "k" * 49}, "SECRET_KEY is short or a demonstration key"),
        ({"SECRET_KEY": "demo-" + "k" * 50}, "SECRET_KEY is short or a demonstration"),
        ({"SECRET_KEY": "test-" + "k" * 50}, "SECRET_KEY is short or a demonstration"),
        (
            {"SECRET_KEY": "django-insecure-" + "k" * 50},
            "SECRET_KEY is short or a demonstration",
        ),
        ({"DEBUG": "true"}, "DEBUG is on"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is missing"),
        ({"REDIS_URL": ""}, "REDIS_URL is missing"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is missing"),
        ({"AUDIT_MAC_KEY": ""}, "AUDIT_MAC_KEY is missing"),
        ({"ALLOWED_HOSTS": "a.example.gov,*"}, "ALLOWED_HOSTS is *"),
        ({"SITE_BANNER": "royal"}, "SITE_BANNER must be none, gov, mil or state"),
        ({"EMAIL_URL": "smtp://mail.example.gov"}, "PORTAL_URL is missing"),
        ({"PORTAL_MODE": "casual"}, "PORTAL_MODE is 'casual'"),
        ({"DATA_SOURCES": "a=relative/path"}, "DATA_SOURCES holds a=relative/path"),
        ({"DATA_SOURCES": "/srv/data"}, "DATA_SOURCES holds /srv/data="),
        ({"STORAGE_URL": "ftp://files"}, "STORAGE_URL is 'ftp://files'"),
    ],
)
def test_production_refuses_to_start_and_says_why(changes, sentence):
    last_line = fault(**changes)

    assert "ImproperlyConfigured" in last_line
    assert sentence in last_line


def test_a_missing_storage_is_named():
    environment = {k: v for k, v in PRODUCTION.items() if k != "STORAGE_URL"}

    assert "STORAGE_URL is missing" in start(environment).stderr


def test_all_faults_are_named_at_once():
    last_line = fault(SECRET_KEY="short", DEBUG="true", REDIS_URL="")

    for sentence in ("SECRET_KEY is short", "DEBUG is on", "REDIS_URL is missing"):
        assert sentence in last_line


@pytest.mark.parametrize("mode", ["demo", "development", "test"])
def test_other_modes_need_only_a_key(mode):
    without_key = start({"PORTAL_MODE": mode})
    found = told(
        {"PORTAL_MODE": mode, "SECRET_KEY": "demo-key"},
        "ALLOWED_HOSTS",
        "SESSION_COOKIE_SECURE",
        "PORTAL_MODE",
    )

    assert "SECRET_KEY is missing" in without_key.stderr
    assert found == {
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1"],
        "SESSION_COOKIE_SECURE": False,
        "PORTAL_MODE": mode,
    }


@pytest.mark.parametrize(
    ("url", "backend", "options"),
    [
        (
            "file:///data/blobs",
            "FileSystemStorage",
            {"location": "/data/blobs", "file_permissions_mode": 0o440},
        ),
        (
            "s3://bucket/some/prefix",
            "S3Storage",
            {
                "bucket_name": "bucket",
                "location": "some/prefix",
                "file_overwrite": False,
            },
        ),
    ],
)
def test_blobs_are_kept_where_the_address_says(url, backend, options):
    storage = told({**PRODUCTION, "STORAGE_URL": url}, "STORAGES")["STORAGES"]

    assert storage["default"]["BACKEND"].endswith(backend)
    assert storage["default"]["OPTIONS"] == options


def test_no_secret_stands_in_the_message_of_a_fault():
    process = start({**PRODUCTION, "SECRET_KEY": "demo-hush-hush", "DEBUG": "true"})

    assert "hush-hush" not in process.stderr
    assert "secret@" not in process.stderr


def test_the_policy_for_content_allows_nothing_inline():
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]

    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert "unsafe" not in str(policy)


def test_actions_own_their_transactions():
    assert settings.DATABASES["default"]["ATOMIC_REQUESTS"] is False


def test_the_folders_of_the_settings_exist():
    for folder in (settings.BASE_DIR / "static", settings.BASE_DIR / "templates"):
        assert Path(folder).is_dir()


def test_sources_are_named():
    given = "archive=/srv/archive/{project},lake=s3://lake/a?region=x&profile=y"

    found = told({**PRODUCTION, "DATA_SOURCES": given}, "DATA_SOURCES")

    assert found["DATA_SOURCES"] == {
        "archive": "/srv/archive/{project}",
        "lake": "s3://lake/a?region=x&profile=y",
    }


def test_mail_is_off_until_a_server_is_named():
    assert told(PRODUCTION, "MAIL_ON") == {"MAIL_ON": False}
    named = {
        "EMAIL_URL": "smtp+tls://portal:s%40fe@mail.example.gov:587",
        "PORTAL_URL": "https://portal.example.gov",
    }

    names = ("MAIL_ON", "EMAIL_HOST", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS")
    found = told({**PRODUCTION, **named}, *names)

    assert list(found.values()) == [True, "mail.example.gov", "s@fe", True]
