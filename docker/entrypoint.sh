#!/bin/sh
# Start one process of the portal: web, worker, beat, sealer, streamer, migrate or
# protect.
# The commands are those of the Makefile; a test holds them equal.
set -eu

case "${1:-}" in
web)
    exec gunicorn mlops_portal.wsgi:application --workers 2 --threads 4 --timeout 120 --keep-alive 0 --limit-request-line 8190 --no-control-socket --bind 0.0.0.0:8000
    ;;
worker)
    exec celery --quiet -A mlops_portal worker --loglevel INFO
    ;;
beat)
    exec celery --quiet -A mlops_portal beat --loglevel INFO --schedule /data/beat-schedule
    ;;
sealer)
    exec python manage.py seal_audit_trail
    ;;
streamer)
    exec python manage.py stream_audit_trail
    ;;
migrate)
    exec python manage.py migrate
    ;;
protect)
    exec python manage.py protect_audit_trail
    ;;
*)
    echo "Say which process to start: web, worker, beat, sealer, streamer, migrate" \
        "or protect." >&2
    exit 2
    ;;
esac
