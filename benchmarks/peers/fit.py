"""The peer of training: what one would write by hand, and nothing besides.

The same rows held out, the same columns, the same estimator and settings as the engine.
"""

import json
import sys
from pathlib import Path

import duckdb
import joblib
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

source, target, parameters, folder = sys.argv[1:]
table = duckdb.read_parquet(source).df().drop(columns="seen_on")
outcomes = table.pop(target)
categories = list(table.select_dtypes(exclude="number"))
encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
model = make_pipeline(
    make_column_transformer((encoder, categories), remainder="passthrough"),
    HistGradientBoostingClassifier(
        **json.loads(parameters), early_stopping=False, random_state=0
    ),
)
train, test, train_outcomes, test_outcomes = train_test_split(
    table, outcomes, test_size=0.2, random_state=0, stratify=outcomes
)
model.fit(train, train_outcomes)
scores = model.predict_proba(test)[:, 1]
found = {"roc_auc": roc_auc_score(test_outcomes == model.classes_[1], scores)}
joblib.dump(model, Path(folder) / "model.joblib")
(Path(folder) / "metrics.json").write_text(json.dumps(found))
