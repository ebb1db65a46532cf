"""The peer of training: what one would write by hand, and nothing besides.

The same rows held out, the same columns, the same estimator and settings as the engine;
the threshold that costs least on rows the model has not learned from.
"""

import json
import sys
from pathlib import Path

import duckdb
import joblib
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

FALSE_ALARM, MISS = 1, 10
codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
columns = OneHotEncoder(handle_unknown="ignore")
KINDS = {
    "hist_gradient_boosting": (
        codes,
        "passthrough",
        HistGradientBoostingClassifier(early_stopping=False),
    ),
    "random_forest": (codes, "passthrough", RandomForestClassifier()),
    "logistic_regression": (columns, StandardScaler(), LogisticRegression()),
}

source, target, slug, parameters, folder = sys.argv[1:]
table = duckdb.read_parquet(source).df().drop(columns="seen_on")
outcomes = table.pop(target)
categories = list(table.select_dtypes(exclude="number"))
encoder, rest, estimator = KINDS[slug]
model = make_pipeline(
    make_column_transformer((encoder, categories), remainder=rest),
    estimator.set_params(**json.loads(parameters), random_state=0),
)
learned, test, learned_outcomes, test_outcomes = train_test_split(
    table, outcomes, test_size=0.2, random_state=0, stratify=outcomes
)
train, validation, train_outcomes, validation_outcomes = train_test_split(
    learned,
    learned_outcomes,
    test_size=0.2,
    random_state=0,
    stratify=learned_outcomes,
)
model.fit(train, train_outcomes)
scores = model.predict_proba(validation)[:, 1]
actual = (validation_outcomes == model.classes_[1]).to_numpy()
alarms, caught, thresholds = roc_curve(actual, scores)
costs = alarms * sum(~actual) * FALSE_ALARM + (1 - caught) * sum(actual) * MISS
threshold = thresholds[np.argmin(costs)]
scores = model.predict_proba(test)[:, 1]
found = {
    "threshold": float(threshold),
    "roc_auc": roc_auc_score(test_outcomes == model.classes_[1], scores),
}
joblib.dump(model, Path(folder) / "model.joblib")
(Path(folder) / "metrics.json").write_text(json.dumps(found))
