"""What the people of the demonstration can do; workers do the computing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, TypeVar

from django.conf import settings

from apps.accounts.models import User
from apps.approvals import actions as approvals
from apps.datasets import actions as datasets
from apps.datasets.models import DatasetVersion
from apps.datasets.queries import propose_for
from apps.experiments import actions as experiments
from apps.experiments.models import Experiment, Run
from apps.home.demo import data, sheets
from apps.home.demo.missions import Mission
from apps.home.demo.people import Access
from apps.jobs.models import BackgroundJob, JobStatus
from apps.projects import actions as projects
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

    def import_file(self, project: Project, path: str, values: dict[str, str]) -> None:
        """Have a worker bring a file in, where the portal has such a source."""
        if data.SOURCE not in settings.DATA_SOURCES:
            return
        self.say(f"Importing {values['title']}")
        place = datasets.SourcePlace(data.SOURCE, path)
        by = self.who("data_scientist")
        _succeeded(
            datasets.import_dataset(project=project, values=values, place=place, by=by)
        )

    def run_own_code(
        self, experiment: Experiment, version: DatasetVersion, name: str
    ) -> None:
        """Run a data scientist's own project, and do it again.

        A host that cannot keep it apart refuses to run it, and says so on its page.
        """
        self.say(f"Running own code: {name}")
        projects.set_code_policy(
            project=experiment.project,
            allows_code=True,
            by=self.who("program_manager"),
        )
        experiment.project.refresh_from_db()
        job = training.launch_code(
            experiment=experiment,
            dataset_version=version,
            wish={"name": name, "seed": 7},
            code=data.own_code(),
            by=self.who("data_scientist"),
        )
        job = wait(job)
        if job.run:
            by = self.who("validator")
            _succeeded(training.request_regeneration(run=job.run, by=by))

    def agree_contract(self, version: DatasetVersion) -> None:
        """Hold later versions to what this one shows, as its steward sharpens it."""
        datasets.save_contract(
            dataset=version.dataset,
            content={
                **propose_for(version).to_json(),
                **sheets.expectations(version.row_count or 0),
            },
            note=sheets.CONTRACT_NOTE,
            by=self.who("data_scientist"),
        )

    def upload_next(self, before: DatasetVersion, content: IO[bytes]) -> DatasetVersion:
        """Upload the next delivery and wait until it was held to the contract."""
        self.say(f"Uploading the next delivery of {before.dataset.title}")
        version = datasets.upload_version(
            dataset=before.dataset,
            content=content,
            original_name=before.original_name,
            by=self.who("data_scientist"),
        )
        _succeeded(version)
        self.dismiss_hints(version)
        return version

    def compare(self, before: DatasetVersion, after: DatasetVersion) -> None:
        """Have two versions compared, row by row."""
        by = self.who("validator")
        _succeeded(datasets.request_diff(before=before, after=after, key=[], by=by))

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
        self.dismiss_hints(version)
        if sensitivity:
            state(sensitivity)

    def dismiss_hints(self, version: DatasetVersion) -> None:
        """Say of every hint at people that no person is named."""
        for hint in version.personal_hints.order_by("column"):
            datasets.decide_hint(
                hint=hint,
                decision="dismissed",
                reason=sheets.NOBODY_NAMED,
                by=self.who("data_scientist"),
            )

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

    def challenge(self, version: ModelVersion) -> None:
        """Let the validator hold something against a version, and its maker answer."""
        finding = validation.raise_finding(
            version=version,
            wish=validation.NewFinding(
                title=CHALLENGE["title"],
                text=CHALLENGE["text"],
                severity="medium",
                owner=self.who("data_scientist"),
            ),
            by=self.who("validator"),
        )
        validation.answer_finding(
            finding=finding, answer=CHALLENGE_ANSWER, by=self.who("data_scientist")
        )

    def regenerate(self, version: ModelVersion) -> None:
        """Have its training done again and wait for the verdict."""
        self.say(f"Regenerating {version}")
        by, run = self.who("validator"), Run.objects.get(model_versions=version)
        _succeeded(training.request_regeneration(run=run, by=by))

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


CHALLENGE = {
    "title": "More false alarms for small animals",
    "text": "Where the wildlife is small, the share of false alarms is twice that of "
    "the champion. Crews may stop believing the list.",
}
CHALLENGE_ANSWER = (
    "Known, and wanted: a missed strike costs ten times as much. We look at the share "
    "again after a month of use."
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
