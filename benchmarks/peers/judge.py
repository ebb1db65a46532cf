"""The peer of a validation report: what one would write by hand.

Measures with bootstrap intervals for the whole, rates for each group, drift of each
number and permutation importance; nothing is shared with the engine but the model.
"""

import json
import sys
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
ROW_RESAMPLES = 200  # of what counts cannot tell, as the engine does
IMPORTANCE_ROWS = 5_000

folder, groups = Path(sys.argv[1]), sys.argv[2:]
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
for name, measure in (
    ("roc_auc", roc_auc_score),
    ("average_precision", average_precision_score),
    ("brier", brier_score_loss),
):
    found = []
    for _ in range(ROW_RESAMPLES):
        drawn = rng.integers(0, len(rows), len(rows))
        found.append(measure(actual[drawn], scores[drawn]))
    bounds[name] = np.quantile(found, (0.025, 0.975))
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
            "groups": {column: len(found) for column, found in by_group.items()},
            "drift": drift,
            "importance": importance,
        }
    )
)
