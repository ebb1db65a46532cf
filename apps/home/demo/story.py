"""What the people of the demonstration do, in order; workers do the computing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from apps.accounts.models import User
from apps.approvals import actions as approvals
from apps.datasets import actions as datasets
from apps.datasets.models import DatasetVersion
from apps.experiments import actions as experiments
from apps.experiments.models import Experiment, Run
from apps.home.demo import sheets
from apps.home.demo.people import Access
from apps.jobs.models import BackgroundJob, JobStatus
from apps.projects import actions as projects
from apps.projects.actions import ObjectiveStatement
from apps.projects.models import Project
from apps.registry import actions as registry
from apps.registry.models import ModelVersion
from apps.training import actions as training
from apps.training.models import TrainingJob
from apps.validation import actions as validation
from apps.validation.models import Rows

MEMBERS = (
    "data_scientist",
    "validator",
    "operations_manager",
    "developer",
)
POLL_SECONDS = 0.3
PATIENCE_SECONDS = 180

Say = Callable[[str], None]
J = TypeVar("J", bound=BackgroundJob)


class DemoStuck(Exception):
    """A job of the demonstration did not end as the story needs it."""


@dataclass(frozen=True)
class Mission:
    """What a project is for."""

    slug: str
    name: str
    mission: str
    impact_reason: str
    objective: ObjectiveStatement | None = None


STRIKES = Mission(
    slug="strike-inspection",
    name="Wildlife-strike inspection",
    mission="After every reported wildlife strike a crew inspects the aircraft, yet "
    "only one strike in ten does damage. Say from the report which aircraft to inspect "
    "first, so that crews go where it matters and no damaged aircraft flies on.",
    impact_reason="Advises inspection crews; a person decides about every aircraft, "
    "and rules that require an inspection stay in force.",
    objective=ObjectiveStatement(
        measure="Crew hours per 1,000 reported strikes, missed damage included",
        unit="hours",
        direction="lower",
        # Inspecting all: 894 undamaged aircraft in 1,000 take 2 hours each.
        baseline=1788.0,
        target=1400.0,
        false_alarm_cost=2.0,
        miss_cost=30.0,
    ),
)
DIGITS = Mission(
    slug="form-digits",
    name="Form digitisation",
    mission="Read handwritten digits on paper forms, so that clerks type only what the "
    "model is unsure of.",
    impact_reason="Clerks check every field before a form counts.",
)

STRIKE_FEATURES = (
    ("Aircraft Make Model", "category"),
    ("Aircraft Airline Operator", "category"),
    ("Origin State", "category"),
    ("Phase of flight", "category"),
    ("Wildlife Size", "category"),
    ("Wildlife Species", "category"),
    ("Time of day", "category"),
    ("Speed IAS in knots", "number"),
    ("Flight Date", "date"),
)
STRIKE_CRITERIA = (
    ("mission_cost_per_1000", "<=", 1400.0, True),
    ("recall", ">=", 0.70, True),
    ("roc_auc", ">=", 0.75, True),
    ("calibration_error", "<=", 0.05, False),
    ("balanced_accuracy", ">=", 0.72, False),
)
DIGIT_CRITERIA = (
    ("accuracy", ">=", 0.95, True),
    ("balanced_accuracy", ">=", 0.95, True),
    ("macro_f1", ">=", 0.98, False),
)
STRIKE_CARD = {
    "intended_use": "Order the inspection queue after reported wildlife strikes.",
    "out_of_scope_use": "Skipping an inspection that a rule requires; strikes outside "
    "the United States; aircraft types that the data does not hold.",
    "limitations": "Reports from 1990 to 2002. Speed is missing in more than a quarter "
    "of them. Species is often a guess.",
    "human_oversight": "The duty officer sees the order and the reason, and may change "
    "it; every change is noted.",
}
DIGIT_CARD = {
    "intended_use": "Propose a digit for each box of a scanned form.",
    "out_of_scope_use": "Letters, signatures, and forms that nobody checks.",
    "limitations": "Images of 8 by 8 points; other scanners were not tried.",
    "human_oversight": "A clerk confirms every field.",
}


class Story:
    """Carries the people through the life of the demonstration's models."""

    def __init__(self, people: Mapping[str, Access], say: Say):
        self.people = people
        self.say = say

    def who(self, role: str) -> User:
        """Return the account of a role."""
        return self.people[role].user

    def open_project(self, mission: Mission) -> Project:
        """Open a project with its objective, determination and members."""
        self.say(f"Opening project {mission.name}")
        manager = self.who("program_manager")
        project = projects.create_project(
            slug=mission.slug, name=mission.name, mission=mission.mission, by=manager
        )
        if mission.objective:
            projects.state_objective(
                project=project, statement=mission.objective, by=manager
            )
        projects.determine_impact(
            project=project,
            impact="not_high",
            reason=mission.impact_reason,
            by=self.who("ai_official"),
        )
        for role in MEMBERS:
            projects.add_member(
                project=project, person=self.who(role), role=role, by=manager
            )
        return project

    def upload(
        self,
        project: Project,
        content: IO[bytes],
        values: dict[str, str],
        seal: dict[str, Any] | None = None,
    ) -> DatasetVersion:
        """Upload a file and wait until a worker has read it."""
        self.say(f"Uploading {values['title']}")
        version = datasets.upload_dataset(
            project=project,
            values=values,
            content=content,
            original_name=f"{values['name']}.csv",
            seal=seal,
            by=self.who("data_scientist"),
        )
        return _succeeded(version)

    def write_datasheet(
        self, version: DatasetVersion, answers: dict[str, str], sensitivity: str
    ) -> None:
        """State what is known of the data, and what its hints at people come to."""
        steward = self.who("data_scientist")

        def state(sensitivity: str) -> None:
            datasets.write_datasheet(
                dataset=version.dataset,
                values=datasets.DatasheetValues(steward, sensitivity, answers),
                by=steward,
            )

        state("")
        for hint in version.personal_hints.order_by("column"):
            datasets.decide_hint(
                hint=hint, decision="dismissed", reason=sheets.NOBODY_NAMED, by=steward
            )
        if sensitivity:
            state(sensitivity)

    def experiment(self, project: Project, name: str, description: str) -> Experiment:
        """Start an experiment."""
        return experiments.create_experiment(
            project=project,
            name=name,
            description=description,
            by=self.who("data_scientist"),
        )

    def launch(
        self,
        experiment: Experiment,
        version: DatasetVersion,
        name: str,
        spec: dict[str, Any],
    ) -> TrainingJob:
        """Launch a training job; a worker takes it up."""
        self.say(f"Training {name}")
        return training.launch_training(
            experiment=experiment,
            dataset_version=version,
            name=name,
            spec=spec,
            by=self.who("data_scientist"),
        )

    def register(
        self, job: TrainingJob, model_name: str, card: dict[str, str]
    ) -> ModelVersion:
        """Register the model of a job that is waited for, and write its card."""
        run = Run.objects.get(training_job=_succeeded(job))
        version = registry.register_version(
            project=run.project,
            run=run,
            model_name=model_name,
            description=card["intended_use"],
            by=self.who("data_scientist"),
        )
        registry.edit_card(
            version=version, sections=card, by=self.who("data_scientist")
        )
        return version

    def write_plan(
        self,
        version: ModelVersion,
        criteria: Sequence[tuple[str, str, float, bool]],
        subgroups: Sequence[str],
    ) -> None:
        """Write the acceptance criteria before any report exists."""
        names = ("measure", "operator", "threshold", "blocking")
        validation.write_plan(
            model=version.model,
            criteria=[dict(zip(names, one, strict=True)) for one in criteria],
            subgroup_columns=list(subgroups),
            reason="First plan, agreed with the program manager.",
            by=self.who("validator"),
        )

    def validate(self, version: ModelVersion, on: str = Rows.HELD_OUT) -> None:
        """Ask for a report and wait for it."""
        self.say(f"Validating {version}")
        _succeeded(
            validation.request_report(
                version=version, evaluated_on=on, by=self.who("validator")
            )
        )

    def regenerate(self, version: ModelVersion) -> None:
        """Have its training done again and wait for the verdict."""
        self.say(f"Regenerating {version}")
        by = self.who("validator")
        _succeeded(training.request_regeneration(run=version.run, by=by))

    def ask_and_sign(
        self, version: ModelVersion, message: str, signers: Sequence[str]
    ) -> None:
        """Ask for approval, and let `signers` sign in order."""
        self.say(f"Asking for approval of {version}")
        version.refresh_from_db()
        approval = approvals.request_approval(
            version=version, message=message, by=self.who("data_scientist")
        )
        for role in signers:
            approvals.sign_off(
                approval=approval,
                comment=COMMENTS[role],
                password=self.people[role].password,
                by=self.who(role),
            )


COMMENTS = {
    "validator": "Recomputed on the held-out strikes; the groups with few strikes are "
    "marked.",
    "operations_manager": "Runs on the duty officer's machine; the old queue stays as "
    "fallback.",
    "program_manager": "Saves crew hours at a miss rate we can answer for.",
}


def _succeeded(job: J) -> J:
    """Wait until a job is final, and insist that it succeeded."""
    job = wait(job)
    if job.status != JobStatus.SUCCEEDED:
        raise DemoStuck(f"{job} is {job.status}: {job.failure_message}")
    return job


def wait(job: J) -> J:
    """Wait until a job is final.

    Raises:
        DemoStuck: no worker finished it in time.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not job.is_final:
        if time.monotonic() > deadline:
            raise DemoStuck(f"No worker finished {job}. Is a worker running?")
        time.sleep(POLL_SECONDS)
        job.refresh_from_db()
    return job


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


def tell(story: Story, strikes: IO[bytes], digits: IO[bytes]) -> None:
    """Tell both stories: one approved champion, one request waiting, one failed job."""
    project = story.open_project(STRIKES)
    other = story.open_project(DIGITS)
    data = story.upload(
        project,
        strikes,
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
    story.write_datasheet(data, sheets.STRIKES, "public")
    story.write_datasheet(images, sheets.DIGITS, "")
    experiment = story.experiment(
        project, "Which strikes do damage", "Linear first, then boosted trees."
    )
    reading = story.experiment(other, "Reading digits", "One column per point.")
    first = story.launch(experiment, data, "logistic regression", strike_spec())
    forest = story.launch(
        reading,
        images,
        "random forest",
        {
            "task": "multiclass",
            "target": "digit",
            "features": [
                {"name": name, "kind": "number"}
                for name in images.column_names
                if name != "digit"
            ],
            "estimator": "random_forest",
            "seed": 7,
        },
    )
    boosted = story.launch(
        experiment,
        data,
        "boosted trees",
        strike_spec(
            estimator="hist_gradient_boosting",
            search={"method": "random", "trials": 6, "folds": 3},
        ),
    )
    story.launch(
        experiment,
        data,
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
