"""Own code of the demonstration: digits read by the nearest mean image."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

HELD_OUT = 0.25  # of the rows


def main(context: Any) -> dict[str, float]:
    """Learn the mean image of each digit, and answer rows that it has not seen."""
    table = duckdb.read_parquet(str(context.data)).df()
    held_out = np.random.default_rng(context.seed).random(len(table)) < HELD_OUT
    pixels = table.drop(columns="digit").to_numpy(dtype=float)
    digits = table["digit"].to_numpy()
    context.progress(0.3, "Averaging images")
    names = np.unique(digits)
    means = np.stack(
        [pixels[~held_out & (digits == name)].mean(axis=0) for name in names]
    )
    context.progress(0.6, "Reading digits")
    distances = ((pixels[held_out, None, :] - means[None]) ** 2).sum(axis=2)
    answers = names[distances.argmin(axis=1)]
    write_answers(context.output, np.flatnonzero(held_out), answers)
    accuracy = float((answers == digits[held_out]).mean())
    context.log(f"{accuracy:.1%} of {len(answers)} digits are read correctly.")
    return {"test.accuracy": accuracy}


def write_answers(folder: Path, rows: Any, answers: Any) -> None:
    """Keep what was answered, so that a second run can be compared with the first."""
    predictions = pd.DataFrame({"row": rows, "prediction": answers})
    duckdb.from_df(predictions).write_parquet(str(folder / "predictions.parquet"))
