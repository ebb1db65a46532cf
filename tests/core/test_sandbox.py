import json
import os
import time

import pytest

from apps.core import sandbox
from apps.core.sandbox import outcome as outcomes
from apps.core.sandbox import progress as reports
from tests.core.conftest import ended, shows_up

SECRETS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STORAGE_URL")


def go_on(_progress) -> str:
    return "go on"


def run(folder, watch=go_on, wall_seconds=20.0) -> sandbox.Outcome:
    return sandbox.run(folder, "train", wall_seconds=wall_seconds, watch=watch)


def test_job_folder_is_private_and_removed(settings):
    with sandbox.job_folder("abc") as folder:
        mode = folder.stat().st_mode & 0o777
        parts = sorted(path.name for path in folder.iterdir())
        parent = folder.parent

    assert mode == 0o700
    assert parts == ["inputs", "outputs", "tmp"]
    assert parent == settings.JOBS_DIR
    assert list(parent.iterdir()) == []


def test_folders_of_dead_workers_are_removed_and_no_others(settings):
    with sandbox.job_folder("alive") as alive:
        dead = settings.JOBS_DIR / "dead-12345678.job"
        (dead / "inputs").mkdir(parents=True)
        (dead / "inputs").chmod(0o500)
        dead.chmod(0o500)
        other = settings.JOBS_DIR / "not-a-job"
        other.mkdir()

        removed = sandbox.remove_abandoned_folders()

        assert removed == [dead.name]
        assert not dead.exists()
        assert alive.exists()
        assert other.exists()


def test_no_folders_to_remove_before_the_first_job(settings, tmp_path):
    settings.JOBS_DIR = tmp_path / "none"

    assert sandbox.remove_abandoned_folders() == []


def test_run_gives_the_result(engine_that, job_folder):
    engine_that("""result(status="succeeded", verb=sys.argv[1], rows=3)""")

    outcome = run(job_folder)

    assert outcome.status == "succeeded"
    assert outcome.result == {"status": "succeeded", "verb": "train", "rows": 3}
    assert outcome.folder == job_folder


def test_run_of_the_real_engine_says_what_is_wrong_with_a_spec(job_folder):
    (job_folder / "spec.json").write_text(json.dumps({"no": "spec"}))

    outcome = sandbox.run(job_folder, "ingest", wall_seconds=60, watch=go_on)

    assert (outcome.status, outcome.code) == ("failed", "bad_input")
    assert outcome.message.startswith("The spec is wrong:")


def test_run_of_the_real_engine_without_a_spec_is_a_crash(job_folder):
    outcome = sandbox.run(job_folder, "ingest", wall_seconds=60, watch=go_on)

    assert (outcome.status, outcome.code) == ("failed", "internal")
    assert "usage: python -m engine" in outcome.details[0]


def test_run_reports_progress_as_it_comes(engine_that, job_folder):
    engine_that(
        """
        progress(ratio=0.5, stage="Reading")
        progress(log="one")
        progress(log="two")
        with (folder / "progress.jsonl").open("a") as lines:
            lines.write('[1]\\nnot json\\n{"ratio": "x"}\\n{"ratio": 0.9, "sta')
        result(status="succeeded")
        """
    )
    seen = []

    def watch(progress):
        seen.append((progress.ratio, progress.stage, progress.log))
        return "go on"

    run(job_folder, watch)

    assert seen[-1] == (0.5, "Reading", "one\ntwo\n")


def test_run_takes_in_the_points_that_are_some(engine_that, job_folder):
    engine_that(
        """
        progress(metric="loss", step=1, value=0.5)
        progress(metric="loss", step=2, value=float("nan"))
        progress(metric="loss", step=-1, value=1)
        progress(metric="loss", step=3)
        progress(metric="loss", step=10 ** 400, value=1)
        progress(metric="loss", step=float("inf"), value=1)
        progress(metric=["x"] * 300, step=4, value="0.25")
        result(status="succeeded")
        """
    )
    seen = []

    run(job_folder, lambda progress: seen.append(list(progress.metrics)) or "go on")

    first, second = seen[-1]
    assert first == ("loss", 1, 0.5)
    assert (len(second.key), second.step, second.value) == (250, 4, 0.25)


def test_run_keeps_only_the_latest_points(engine_that, job_folder):
    engine_that(
        """
        lines = (json.dumps({"metric": "m", "step": n, "value": n}) + "\\n"
                 for n in range(2500))
        (folder / "progress.jsonl").write_text("".join(lines))
        result(status="succeeded")
        """
    )
    seen = []

    run(job_folder, lambda progress: seen.append(list(progress.metrics)) or "go on")

    assert len(seen[-1]) == 2000
    assert seen[-1][-1] == ("m", 2499, 2499.0)


def test_run_calls_watch_although_nothing_is_reported(engine_that, job_folder):
    engine_that("""time.sleep(0.5); result(status="succeeded")""")
    calls = []

    run(job_folder, lambda progress: calls.append(progress.stage) or "go on")

    assert len(calls) >= 3
    assert set(calls) == {"Starting"}


def test_run_keeps_the_reason_of_a_failure(engine_that, job_folder):
    engine_that(
        """
        result(status="failed", code="bad_input", message="Row 3 is short.",
               details=[{"row": n} for n in range(500)])
        sys.exit(1)
        """
    )

    outcome = run(job_folder)

    assert (outcome.status, outcome.code) == ("failed", "bad_input")
    assert outcome.message == "Row 3 is short."
    assert len(outcome.details) == 100


def test_run_does_not_believe_a_success_with_a_bad_exit_code(engine_that, job_folder):
    engine_that("""result(status="succeeded"); sys.exit(3)""")

    outcome = run(job_folder)

    assert (outcome.status, outcome.code) == ("failed", "internal")


def test_run_replaces_what_the_database_cannot_hold(engine_that, job_folder):
    engine_that(
        """
        progress(stage="a\\0b", log="c\\0d")
        result(status="failed", code="bad_input", message="x\\0y \\ud800",
               details=[{"c\\0ell": ["\\0", 1, None]}])
        sys.exit(1)
        """
    )
    seen = []

    outcome = run(job_folder, lambda progress: seen.append(progress) or "go on")

    assert (seen[-1].stage, seen[-1].log) == ("a\ufffdb", "c\ufffdd\n")
    assert outcome.message == "x\ufffdy ?"
    assert outcome.details == [{"c\ufffdell": ["\ufffd", 1, None]}]


@pytest.mark.parametrize("answer", ["cancel", "lost", "interrupt"])
def test_run_ends_the_child_when_watch_says_so(engine_that, job_folder, answer):
    engine_that(
        """
        progress(stage="Waiting")
        time.sleep(60)
        """
    )
    begun = time.monotonic()

    outcome = run(
        job_folder, lambda seen: answer if seen.stage == "Waiting" else "go on"
    )

    names = {"cancel": "cancelled", "interrupt": "interrupted"}
    assert outcome.status == names.get(answer, answer)
    assert ended(job_folder)
    assert time.monotonic() - begun < 5


def test_run_ends_at_its_time_limit(engine_that, job_folder):
    engine_that("time.sleep(60)")

    outcome = run(job_folder, wall_seconds=0.3)

    assert (outcome.status, outcome.code) == ("failed", "timeout")
    assert "time limit of 0 seconds" in outcome.message


def test_run_ends_the_child_when_watch_fails(engine_that, job_folder):
    engine_that(
        """
        progress(stage="Waiting")
        time.sleep(60)
        """
    )

    def watch(progress):
        if progress.stage == "Waiting":
            assert shows_up(job_folder)
            raise ConnectionError("database away")
        return "go on"

    with pytest.raises(ConnectionError):
        run(job_folder, watch)

    assert ended(job_folder)


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGXCPU", "SIGSEGV", "SIGABRT"])
def test_run_explains_a_death_by_signal(engine_that, job_folder, signal):
    engine_that(
        f"""
        import resource
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        print("last w\\0rds", flush=True)
        os.kill(os.getpid(), signal.{signal})
        """
    )

    outcome = run(job_folder)

    assert (outcome.status, outcome.code) == ("failed", "out_of_resources")
    assert signal in outcome.message
    assert outcome.details[0].startswith("last w\ufffdrds\n")


def test_run_does_not_read_a_huge_result(engine_that, job_folder, monkeypatch):
    monkeypatch.setattr(outcomes, "MAX_RESULT_BYTES", 10)
    engine_that("""result(status="succeeded")""")

    assert run(job_folder).code == "internal"


def test_the_child_has_no_secrets(engine_that, job_folder, monkeypatch):
    for name in SECRETS:
        monkeypatch.setenv(name, "secret-of-the-portal")
    engine_that(
        """
        environment = str(os.environ)
        result(status="succeeded", environment=environment, home=os.environ["HOME"],
               folder=os.getcwd())
        """
    )

    found = run(job_folder).result

    assert "secret-of-the-portal" not in found["environment"]
    assert not [name for name in SECRETS if name in found["environment"]]
    assert found["home"] == os.path.join(found["folder"], "tmp")


def test_the_child_cannot_read_the_terminal(engine_that, job_folder):
    engine_that(
        """
        after_name = open("/proc/self/stat").read().rpartition(")")[2].split()
        result(status="succeeded", read=sys.stdin.read(), terminal=int(after_name[4]))
        """
    )

    found = run(job_folder).result

    assert found["read"] == ""
    assert found["terminal"] == 0


@pytest.mark.parametrize(
    "lines",
    [
        '(folder / "result.json").symlink_to("/etc/passwd")',
        'os.mkfifo(folder / "result.json")',
        '(folder / "result.json").mkdir()',
        '(folder / "result.json").write_text("[]")',
        '(folder / "result.json").write_text("not json")',
        '(folder / "result.json").write_text("[" * 100_000)',
        '(folder / "result.json").write_bytes(bytes([255]))',
        '(folder / "outputs" / "m").symlink_to("/etc/passwd"); result(**GOOD)',
        'os.mkfifo(folder / "outputs" / "m"); result(**GOOD)',
        'result(**GOOD); os.rename("outputs", "o"); os.symlink("/", "outputs")',
        'os.unlink(folder / "console.log"); os.mkfifo(folder / "console.log")',
    ],
)
def test_run_does_not_follow_what_the_child_laid_out(engine_that, job_folder, lines):
    engine_that('GOOD = {"status": "succeeded"}\n' + lines)

    outcome = run(job_folder)

    assert (outcome.status, outcome.code) == ("failed", "internal")
    assert "root:" not in str(outcome.details)


@pytest.mark.parametrize(
    "line",
    [
        'os.mkfifo(folder / "progress.jsonl")',
        '(folder / "progress.jsonl").symlink_to("/etc/passwd")',
        'progress(ratio=float("nan"))',
        'progress(ratio=float("inf"))',
        '(folder / "progress.jsonl").write_text("[" * 100_000 + "\\n")',
    ],
)
def test_run_passes_over_progress_that_is_none(engine_that, job_folder, line):
    engine_that(f'{line}\nresult(status="succeeded")')
    seen = []

    def watch(progress):
        seen.append((progress.ratio, progress.stage, progress.log))
        return "go on"

    outcome = run(job_folder, watch)

    assert outcome.status == "succeeded"
    assert set(seen) == {(0.0, "Starting", "")}


def test_run_keeps_only_the_end_of_endless_progress(
    engine_that, job_folder, monkeypatch
):
    monkeypatch.setattr(reports, "MAX_PROGRESS_BYTES", 1000)
    monkeypatch.setattr(reports, "MAX_LOG_CHARACTERS", 50)
    engine_that(
        """
        (folder / "progress.jsonl").write_text("x" * 3000 + "\\n")
        for number in range(100):
            progress(log=f"line {number}")
        time.sleep(0.5)
        progress(log="last")
        result(status="succeeded")
        """
    )
    logs = []

    def watch(progress):
        logs.append(progress.log)
        return "go on"

    outcome = run(job_folder, watch)

    assert outcome.status == "succeeded"
    assert "line 99\n" in logs[-1]
    assert max(map(len, logs)) == 50
