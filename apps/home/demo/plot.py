"""What happens in the demonstration, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

from apps.home.demo import data, sheets
from apps.home.demo.missions import (
    DIGIT_CARD,
    DIGIT_CRITERIA,
    DIGITS,
    STRIKE_CARD,
    STRIKE_CRITERIA,
    STRIKE_FEATURES,
    STRIKES,
)
from apps.home.demo.story import Story
from apps.training.models import TrainingJob
from apps.validation.models import Rows

AIRPORTS = {
    "name": "airports",
    "title": "Airports of the United States",
    "description": "Where the strikes happened: code, name and place, as the Federal "
    "Aviation Administration lists them; a work of the US Government.",
}


def strike_spec(**changes: Any) -> dict[str, Any]:
    """Describe a training on the strikes."""
    return {
        "task": "binary",
        "target": "damaged",
        "positive_label": "yes",
        "features": [{"name": name, "kind": kind} for name, kind in STRIKE_FEATURES],
        "estimator": "logistic_regression",
        "test_ratio": 0.25,
        "seed": 7,
        **changes,
    }


def tell(story: Story, strikes: Sequence[IO[bytes]], digits: IO[bytes]) -> None:
    """Tell both stories: one approved champion, one request waiting, one failed job.

    Args:
        story: who tells it.
        strikes: the first delivery of strikes, and all of them.
        digits: the images.
    """
    project = story.open_project(STRIKES)
    other = story.open_project(DIGITS)
    first_delivery = story.upload(
        project,
        strikes[0],
        {
            "name": "strikes",
            "title": "Wildlife strikes 1990–2002",
            "description": "Federal Aviation Administration wildlife strike reports; "
            "a work of the US Government. Costs and damage level are left out: they "
            "are known only after the inspection.",
        },
    )
    images = story.upload(
        other,
        digits,
        {
            "name": "digits",
            "title": "Handwritten digits",
            "description": "1,797 images of 8 by 8 points, from forms printed by NIST.",
        },
        sheets.DIGIT_SEAL,
    )
    story.write_datasheet(first_delivery, sheets.STRIKES, "public")
    story.agree_contract(first_delivery)
    newest = story.upload_next(first_delivery, strikes[1])
    story.import_file(project, data.AIRPORTS, AIRPORTS)
    story.write_datasheet(images, sheets.DIGITS, "")
    experiment = story.experiment(
        project, "Which strikes do damage", "Linear first, then boosted trees."
    )
    reading = story.experiment(other, "Reading digits", "One column per point.")
    first = story.launch(experiment, newest, "logistic regression", strike_spec())
    forest = story.launch(
        reading,
        images,
        "extra trees",
        {
            "task": "multiclass",
            "target": "digit",
            "features": [
                {"name": name, "kind": "number"}
                for name in images.column_names
                if name != "digit"
            ],
            "estimator": "extra_trees",
            "seed": 7,
        },
    )
    boosted = story.launch(
        experiment,
        newest,
        "boosted trees",
        strike_spec(
            estimator="hist_gradient_boosting",
            search={"method": "random", "trials": 6, "folds": 3},
        ),
    )
    story.launch(
        experiment,
        newest,
        "which aircraft was it",
        strike_spec(
            task="multiclass",
            positive_label=None,
            target="Aircraft Make Model",
            features=[{"name": "Wildlife Size", "kind": "category"}],
        ),
    )
    _approve_and_wait(story, first, boosted)
    _read_digits(story, forest)
    story.run_own_code(reading, images, "nearest mean image")
    story.compare(first_delivery, newest)


def _approve_and_wait(story: Story, first: TrainingJob, boosted: TrainingJob) -> None:
    champion = story.register(first, "damage-risk", STRIKE_CARD)
    story.write_plan(champion, STRIKE_CRITERIA, ["Wildlife Size", "Phase of flight"])
    story.validate(champion)
    story.regenerate(champion)
    story.ask_and_sign(
        champion,
        "First model of the project; replaces inspecting in order of arrival.",
        ["validator", "operations_manager", "program_manager"],
    )
    challenger = story.register(boosted, "damage-risk", STRIKE_CARD)
    story.validate(challenger)
    story.challenge(challenger)
    story.ask_and_sign(
        challenger,
        "Boosted trees miss less damage than the champion at a lower cost.",
        ["validator", "operations_manager"],
    )


def _read_digits(story: Story, forest: TrainingJob) -> None:
    version = story.register(forest, "digit-reader", DIGIT_CARD)
    story.write_plan(version, DIGIT_CRITERIA, [])
    story.validate(version)
    story.validate(version, Rows.SEALED)
