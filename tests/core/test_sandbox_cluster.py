"""A search goes out to a Dask cluster from inside the sandbox."""

import json

from apps.core import sandbox
from tests.engine.cluster import cluster, names_and_processes
from tests.engine.kinds import spec_for
from tests.engine.tables import put_table, strikes

__all__ = ["cluster"]
# Long enough for the scheduler to hand out the next fold before this one is scored.
LONG = {"n_estimators": 100}


def test_trials_of_a_job_in_the_sandbox_run_on_both_workers(
    cluster, job_folder, settings
):
    settings.DASK_ADDRESS = cluster
    put_table(job_folder / "inputs" / "data.parquet", strikes())
    asked = {"trials": 4, "folds": 2, "values": {"max_depth": [2, 4, 8, 16]}}
    spec = spec_for("random_forest", "binary", parameters=LONG, search=asked)
    (job_folder / "spec.json").write_text(json.dumps(spec))
    logs = []

    outcome = sandbox.run(
        job_folder,
        "train",
        wall_seconds=60,
        watch=lambda progress: logs.append(progress.log) or "go on",
    )

    assert outcome.status == "succeeded", (outcome.message, outcome.details)
    trials = outcome.result["search"]["trials"]
    assert len(trials) == 4
    names, processes = names_and_processes(trials)
    assert (names, len(processes)) == ({"first", "second"}, 2)
    assert "The cluster's workers make the trials: first, second." in logs[-1]
    assert (job_folder / "outputs" / "model.skops").exists()
