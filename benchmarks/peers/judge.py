"""The peer of a validation report: what one would write by hand.

Measures with bootstrap intervals for the whole, rates for each group, drift of each
number and permutation importance; nothing is shared with the engine but the model.

    ... FOLDER ROW_RESAMPLES COLUMN_OF_GROUPS ...
"""

import json
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
from scipy.stats import ks_2samp
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    roc_auc_score,
)
from skops.io import get_untrusted_types, load

RESAMPLES = 1_000
IMPORTANCE_ROWS = 2_000

folder, row_resamples, groups = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
inputs = folder / "inputs"
signature = json.loads((inputs / "signature.json").read_text())
POSITIVE = signature["positive_label"]
names = [column["name"] for column in signature["inputs"]]
rows = duckdb.read_parquet(str(inputs / "test.parquet")).df()
learned = duckdb.read_parquet(str(inputs / "train.parquet")).df()
actual = (rows[signature["target"]] == signature["positive_label"]).to_numpy()
path = inputs / "model.skops"
model = load(path, trusted=get_untrusted_types(file=path))
rng = np.random.default_rng(0)


def scored(table):
    return model.predict_proba(table[names])[:, list(model.classes_).index(POSITIVE)]


scores = scored(rows)
predicted = scores >= signature["threshold"]


def counted(table):
    (tn, fp), (fn, tp) = table
    return {
        "accuracy": (tp + tn) / (tp + tn + fp + fn),
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "specificity": tn / (tn + fp),
    }


def confusion(truth, said):
    return np.bincount(truth * 2 + said, minlength=4).reshape(2, 2)


cells = confusion(actual, predicted)
measures = {
    **counted(cells),
    "roc_auc": roc_auc_score(actual, scores),
    "average_precision": average_precision_score(actual, scores),
    "brier": brier_score_loss(actual, scores),
}
draws = rng.multinomial(len(rows), cells.ravel() / len(rows), RESAMPLES)
bounds = {
    name: np.quantile([counted(d.reshape(2, 2))[name] for d in draws], (0.025, 0.975))
    for name in counted(cells)
}
by_rows = {
    "roc_auc": roc_auc_score,
    "average_precision": average_precision_score,
    "brier": brier_score_loss,
}
found = {name: [] for name in by_rows}
started = time.perf_counter()
for _ in range(row_resamples):
    drawn = rng.integers(0, len(rows), len(rows))
    for name, measure in by_rows.items():
        found[name].append(measure(actual[drawn], scores[drawn]))
seconds_each = (time.perf_counter() - started) / row_resamples
bounds |= {name: np.quantile(draws, (0.025, 0.975)) for name, draws in found.items()}
by_group = {
    column: {
        str(name): counted(confusion(actual[places], predicted[places]))
        for name, places in rows.groupby(column).indices.items()
    }
    for column in groups
}
drift = {
    name: float(ks_2samp(learned[name], rows[name], method="asymp").statistic)
    for name in names
    if rows[name].dtype.kind in "if"
}
part = rows.iloc[:IMPORTANCE_ROWS].copy()
before = roc_auc_score(actual[:IMPORTANCE_ROWS], scores[:IMPORTANCE_ROWS])
importance = {}
for name in names:
    changed = part.copy()
    changed[name] = rng.permutation(changed[name].to_numpy())
    importance[name] = before - roc_auc_score(actual[:IMPORTANCE_ROWS], scored(changed))
(folder / "judged.json").write_text(
    json.dumps(
        {
            "measures": {name: float(value) for name, value in measures.items()},
            "bounds": {name: list(map(float, pair)) for name, pair in bounds.items()},
            "groups": {
                column: {
                    name: {slug: float(value) for slug, value in rates.items()}
                    for name, rates in found.items()
                }
                for column, found in by_group.items()
            },
            "drift": drift,
            "importance": importance,
            "seconds_each": seconds_each,
        }
    )
)
