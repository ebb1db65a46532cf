"""The peer of a profile: pandas reads a CSV and describes every column.

Writes no Parquet, for which pandas would need one package more.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

source, target = sys.argv[1:]
QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]


def describe(values: "pd.Series[Any]") -> dict[str, Any]:
    found: dict[str, Any] = {
        "missing": int(values.isna().sum()),
        "distinct": int(values.nunique()),
    }
    if pd.api.types.is_numeric_dtype(values):
        counts, _ = np.histogram(values.dropna(), bins=20)
        found |= values.describe(percentiles=QUANTILES).to_dict()
        found["histogram"] = counts.tolist()
    else:
        found["top"] = values.value_counts().head(10).astype(int).to_dict()
    return found


table = pd.read_csv(source)
found = {str(name): describe(table[name]) for name in table}
correlations = table.sample(50_000, replace=True).select_dtypes("number").corr()
found["correlations"] = correlations.to_dict()
Path(target).write_text(json.dumps(found, default=str))
