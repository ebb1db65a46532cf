"""A real browser, a real web server and a real worker on one database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.person import PATIENCE_MILLISECONDS, Person
from tests.factories import people

ROOT = Path(settings.BASE_DIR)
WORKER = "celery --quiet -A mlops_portal worker --concurrency 1 --loglevel WARNING"
# Pictures go into the documentation only when somebody asks for new ones.
PICTURES = (
    "docs/screenshots" if os.environ.get("UPDATE_SCREENSHOTS") else "var/pictures"
)
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 812}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    # Playwright keeps an event loop in this thread, which Django takes for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("PORTAL_CHROMIUM", "/usr/bin/chromium"),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()
        # Beside a running event loop Django keeps connections of their own.
        connections.close_all()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def running_worker(committed, tmp_path: Path) -> Iterator[None]:
    """A worker on the database and the folders of this test."""
    url = os.environ["DATABASE_URL"].rpartition("/")[0]
    env = {
        **os.environ,
        "DATABASE_URL": f"{url}/{connection.settings_dict['NAME']}",
        "STORAGE_URL": f"file://{tmp_path / 'blobs'}",
        "JOBS_DIR": str(tmp_path / "jobs"),
        "DATA_SOURCES": f"archive={tmp_path / 'archive'}",
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", *WORKER.split()], env=env, cwd=ROOT
    )
    yield
    worker.terminate()
    worker.wait(timeout=PATIENCE_MILLISECONDS / 1000)


@pytest.fixture
def person_at(chromium: Browser, live_server) -> Iterator[Callable[..., Person]]:
    """Open a browser of one's own for each person."""
    contexts = []

    def open_for(email: str, *, viewport: dict[str, int] = DESKTOP) -> Person:
        context = chromium.new_context(
            viewport=viewport, base_url=live_server.url, accept_downloads=True
        )
        contexts.append(context)
        page: Page = context.new_page()
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        return Person(page, email, people.PASSWORD, ROOT / PICTURES)

    yield open_for
    for context in contexts:
        context.close()


@pytest.fixture
def signed_in(committed, world, live_server, client_of, person_at):
    """Open the browser of somebody who has signed in already."""

    def open_for(role: str):
        user = getattr(world, role)
        session = client_of(user).cookies[settings.SESSION_COOKIE_NAME].value
        person = person_at(user.email)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session}
        person.page.context.add_cookies([cookie | {"url": live_server.url}])
        return person

    return open_for
