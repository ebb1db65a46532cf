"""Exit with 0 while one process of the portal does its work: web, worker or beat."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

BEAT_SCHEDULE = Path("/data/beat-schedule")
BEAT_SAVES_WITHIN_SECONDS = 600  # Celery writes the file every three minutes


def web_answers() -> bool:
    host = os.environ["ALLOWED_HOSTS"].split(",")[0].strip().lstrip(".*")
    request = urllib.request.Request(
        "http://127.0.0.1:8000/healthz", headers={"Host": host or "localhost"}
    )
    with urllib.request.urlopen(request, timeout=8) as answer:
        return bool(answer.status == 200)


def worker_answers() -> bool:
    name = f"celery@{socket.gethostname()}"
    command = ["celery", "-A", "mlops_portal", "inspect", "ping", "-d", name]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def beat_saves() -> bool:
    saved_at = max(each.stat().st_mtime for each in BEAT_SCHEDULE.parent.glob("beat-*"))
    return time.time() - saved_at < BEAT_SAVES_WITHIN_SECONDS


CHECKS = {"web": web_answers, "worker": worker_answers, "beat": beat_saves}

if __name__ == "__main__":
    sys.exit(0 if CHECKS[sys.argv[1]]() else 1)
