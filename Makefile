# The commands of this project. `make demo` and `make test` need nothing but Python,
# npm and make; the others expect that one of the two has run before.

SHELL := /bin/sh
BIN := .venv/bin
PORT ?= 8000
ARGS ?=
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-annotate pyproject.toml
export PORT

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset run worker beat sealer streamer migrate protect
.PHONY: check fix test test-browser test-crash bench bench-audit bench-data
.PHONY: bench-tracking bench-training bench-validation docs lock clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*  ##' Makefile | sed -E 's/:.*  ## /\t/' | expand -t 16

demo: install-demo  ## Start the whole portal with demo content (PORT=8000)
	@$(BIN)/python -m dev.demo

demo-reset:  ## Delete the demo's data, then start it afresh
	@$(BIN)/python -m dev.demo --reset
	@$(MAKE) --no-print-directory demo

run:  ## Web process, settings from the environment (.env.example)
	$(BIN)/gunicorn mlops_portal.wsgi:application --workers 2 --threads 4 --timeout 120 --keep-alive 0 --limit-request-line 8190 --no-control-socket --bind 127.0.0.1:$(PORT)

worker:  ## Background worker, settings from the environment
	$(BIN)/celery --quiet -A mlops_portal worker --loglevel INFO

beat: | var  ## Clock of the periodic tasks, settings from the environment
	$(BIN)/celery --quiet -A mlops_portal beat --loglevel INFO --schedule var/beat-schedule

sealer:  ## Sign the audit trail as it grows, settings from the environment
	$(BIN)/python manage.py seal_audit_trail

streamer:  ## Send the sealed trail to the systems of AUDIT_STREAMS
	$(BIN)/python manage.py stream_audit_trail

migrate:  ## Bring the database of the environment up to date
	$(BIN)/python manage.py migrate

protect:  ## Separate the roles of the database; as its owner, after migrate
	$(BIN)/python manage.py protect_audit_trail

check: install-dev  ## Format, lint, types, imports, templates, migrations, reference
	@$(BIN)/python -m dev.test check

fix: install-dev  ## Repair what the tools can repair
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djlint templates --reformat --quiet

test: install-dev  ## All checks and tests; ARGS="tests/audit -k x" runs only those
	@$(BIN)/python -m dev.test $(if $(ARGS),-- $(ARGS))

test-browser: install-dev  ## Only the tests in a real browser
	@$(BIN)/python -m dev.test browser

test-crash: install-dev  ## Kill sealer and database under load, again and again
	@$(BIN)/python -m dev.test crash

bench: install-dev  ## Side-by-side measurements
	@$(BIN)/python -m dev.services run -- $(BIN)/python -m benchmarks $(ARGS)

bench-data: install-dev  ## Reading and describing 5 million rows
	@$(BIN)/python -m benchmarks.data $(ARGS)

bench-audit: install-dev  ## The audit trail against a bare INSERT
	@$(BIN)/python -m benchmarks.audit $(ARGS)

bench-training: install-dev  ## Training through the portal against a plain script
	@$(BIN)/python -m benchmarks.training $(ARGS)

bench-tracking: install-dev  ## Tracking against a stock MLflow server
	@$(BIN)/python -m benchmarks.tracking $(ARGS)

bench-validation: install-dev  ## A validation report against a plain script
	@$(BIN)/python -m benchmarks.validation $(ARGS)

docs: install-dev  ## Write docs/reference/ anew from the code
	@$(BIN)/python -m dev.services run -- $(BIN)/python manage.py generate_reference

lock:  ## Pin dependencies anew, with hashes (needs uv)
	$(LOCK) -o requirements/base.txt
	$(LOCK) -o requirements/production.txt -c requirements/base.txt --extra s3
	$(LOCK) -o requirements/demo.txt -c requirements/base.txt --extra demo
	$(LOCK) -o requirements/dev.txt -c requirements/demo.txt --extra demo --extra dev --extra tune --extra cluster --extra s3
	$(LOCK:pyproject.toml=benchmarks/tracking/stock.in) -o benchmarks/tracking/stock.txt

clean:  ## Delete caches, the virtual environment and packages; var/ stays
	rm -rf .venv node_modules staticfiles htmlcov .coverage* .*_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

var:
	mkdir -p var

.PHONY: install-demo install-dev
install-demo install-dev:
	@command -v python3 >/dev/null || { echo "python3 was not found: install Python 3.11 or newer, for example: sudo apt-get install python3 python3-venv"; exit 1; }
	@python3 -m dev.bootstrap $(@:install-%=%)
