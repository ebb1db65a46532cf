"""Random runs and experiments as plain values, to be searched."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.experiments.search.texts import KEYS, WORDS

VALUES = st.sampled_from(
    [0.0, 0.5, 1.0, -1.0, 3.0, 1e300, float("nan"), float("inf"), float("-inf")]
)
TIMES = st.sampled_from([0, 1, 2, 3, 1_700_000_000_123])
STATUSES = st.sampled_from(["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"])
DATASETS = st.fixed_dictionaries(
    {
        "name": WORDS.filter(bool),
        "digest": st.sampled_from(["a", "A", "a%", "\\"]),
        "context": st.none() | WORDS,
    }
)


def texts_by_key():
    """Parameters or tags of one run."""
    return st.dictionaries(KEYS, WORDS, max_size=4)


def values_by_key():
    """Latest metrics of one run."""
    return st.dictionaries(KEYS, VALUES, max_size=4)


def _twice(dataset):
    return dataset["name"], dataset["digest"]


def drawn_runs():
    """Runs without their identity: everything that a search looks at."""
    run = st.fixed_dictionaries(
        {
            "run_name": WORDS,
            "user_id": WORDS,
            "status": STATUSES,
            "start_time": TIMES,
            "end_time": st.none() | TIMES,
            "metrics": values_by_key(),
            "params": texts_by_key(),
            "tags": texts_by_key(),
            "datasets": st.lists(DATASETS, max_size=2, unique_by=_twice),
        }
    )
    return st.lists(run, max_size=8)


def drawn_logged_models():
    """Logged models without their identity; metrics by key and name of the data."""
    measured = st.tuples(KEYS, st.sampled_from(["", "birds", "fish"]))
    model = st.fixed_dictionaries(
        {
            "name": WORDS,
            "model_type": WORDS,
            "status": st.sampled_from(["PENDING", "READY", "UPLOAD_FAILED"]),
            "has_run": st.booleans(),
            "creation_timestamp": TIMES,
            "last_updated_timestamp": TIMES,
            "metrics": st.dictionaries(measured, VALUES, max_size=4),
            "params": texts_by_key(),
            "tags": texts_by_key(),
        }
    )
    return st.lists(model, max_size=6)


def drawn_experiments():
    """Experiments by name, without their identity."""
    experiment = st.fixed_dictionaries(
        {
            "creation_time": TIMES,
            "last_update_time": TIMES,
            "tags": texts_by_key(),
        }
    )
    return st.dictionaries(WORDS, experiment, max_size=8)
