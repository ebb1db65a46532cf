"""One piece of work in a process of its own: `... seal|bundle|write ARGUMENT`."""

import sys
import time
from importlib import import_module
from pathlib import Path

import django

PAUSE_SECONDS = 0.02


def seal(_: str) -> None:
    """Seal all that waits, as the sealer does when it comes back."""
    command = import_module("apps.audit.management.commands.seal_audit_trail")
    sealer, _ = command.open_sealer()
    while sealer.seal():
        pass


def bundle(path: str) -> None:
    """Write the whole trail with its evidence."""
    with Path(path).open("wb") as file:
        import_module("apps.audit.evidence").write_evidence(file)


def write(seconds: str) -> None:
    """Record events through the portal for a while, each in a transaction."""
    worker = import_module("apps.accounts.actions").service_account()
    record = import_module("apps.audit.record").record
    kind = import_module("apps.audit.event_types").EventType.ACCOUNT_EDITED
    atomic = import_module("django.db.transaction").atomic
    context = import_module("apps.core.context")

    def once() -> None:
        with atomic():
            record(kind, target=worker, project=None, by=worker)

    once()  # loads what it needs
    end = time.monotonic() + float(seconds)
    with context.working(context.WorkContext(request_id="lag", channel="cli")):
        while time.monotonic() < end:
            once()
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    django.setup()
    {"seal": seal, "bundle": bundle, "write": write}[sys.argv[1]](sys.argv[2])
