# ruff: noqa: INP001  # a script beside the image's other files, not a package
"""Exit with 0 while a process does its work: web, worker, beat, sealer or streamer."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from http import HTTPStatus
from pathlib import Path

DATA = Path("/data")
BEAT_SAVES_WITHIN_SECONDS = 600  # Celery writes the file every three minutes


def web_answers() -> bool:
    host = os.environ["ALLOWED_HOSTS"].split(",")[0].strip().lstrip(".*")
    request = urllib.request.Request(
        "http://127.0.0.1:8000/healthz", headers={"Host": host or "localhost"}
    )
    with urllib.request.urlopen(request, timeout=8) as answer:  # noqa: S310  # our own
        return bool(answer.status == HTTPStatus.OK)


def worker_answers() -> bool:
    name = f"celery@{socket.gethostname()}"
    command = ["celery", "-A", "mlops_portal", "inspect", "ping", "-d", name]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def beat_saves() -> bool:
    saved_at = max(each.stat().st_mtime for each in DATA.glob("beat-schedule*"))
    return time.time() - saved_at < BEAT_SAVES_WITHIN_SECONDS


def sealer_seals() -> bool:
    command = ["python", "manage.py", "check_audit_trail"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def streamer_keeps_up() -> bool:
    command = ["python", "manage.py", "stream_audit_trail", "--status"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


CHECKS = {
    "web": web_answers,
    "worker": worker_answers,
    "beat": beat_saves,
    "sealer": sealer_seals,
    "streamer": streamer_keeps_up,
}

if __name__ == "__main__":
    sys.exit(0 if CHECKS[sys.argv[1]]() else 1)
