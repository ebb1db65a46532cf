"""What browsers send when somebody launches training."""

import uuid

from django.urls import reverse


def address(project, version, target="damaged"):
    path = reverse("training:launch_training", args=[project.slug])
    return f"{path}?dataset_version={version.pk}&target={target}"


def filled(chosen, **changes):
    return {
        "submission_key": uuid.uuid4(),
        "name": "Find damage",
        "experiment": chosen.pk,
        "task": "binary",
        "positive_label": "yes",
        "features": ["species", "speed"],
        "estimator": "random_forest",
        "random_forest__max_depth": 7,
        "trials": 10,
        "folds": 3,
        "by_mission_cost": "on",
        "kind_0": "category",
        "kind_1": "number",
        "kind_2": "date",
        "kind_3": "category",
        "split_method": "random",
        "test_ratio": 0.3,
        "validation_ratio": 0.25,
        "missing": "mean",
        "categories": "auto",
        "scale": "auto",
        "text_buckets": 64,
        "calibration": "sigmoid",
        "seed": 4,
        "minutes": 5,
        "memory_gib": 2,
        **changes,
    }


def text_address(project):
    return reverse("training:launch_training_from_text", args=[project.slug])


def text_values(version, experiment, text, **pressed):
    return {
        "submission_key": uuid.uuid4(),
        "name": "From text",
        "experiment": experiment.pk,
        "dataset_version": version.pk,
        "text": text,
        **pressed,
    }
