"""Logs small runs with the stock client: `... COUNT`; says how many seconds it took."""

import logging
import sys
import time

import mlflow

logging.getLogger("mlflow").setLevel(logging.ERROR)


def small_run(number: int) -> None:
    with mlflow.start_run(run_name=f"small {number}"):
        mlflow.log_params({"depth": number, "rate": 0.1, "estimator": "tree"})
        mlflow.log_metrics({"auc": number / 100, "loss": 1 / (number + 2)})
        for step in range(3):
            mlflow.log_metric("step_loss", 1 / (step + 1), step=step)
        mlflow.set_tag("team", "blue")
        mlflow.log_text("hello", "notes.txt")


if __name__ == "__main__":
    mlflow.set_experiment("Small")
    small_run(-1)
    started = time.perf_counter()
    for each in range(int(sys.argv[1])):
        small_run(each)
    print(time.perf_counter() - started)
