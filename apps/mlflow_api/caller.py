"""Who asks, and what names and ids mean to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from apps.experiments import actions, rules
from apps.experiments.models import DEFAULT_NAME, Experiment, LoggedModel, Run
from apps.experiments.search.conditions import DEFAULT_ID
from apps.mlflow_api.errors import INVALID, MlflowError, absent
from apps.projects.models import Project

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import ApiToken, User

HEADER = "X-Portal-Project"
ID_DIGITS = 32
NO_DEFAULT = (
    "Experiment 0 is the Default experiment of the default project of a token, and "
    "there is none for you. Call set_experiment('project/experiment'), or issue a "
    "token with a default project on your account page."
)


@dataclass(frozen=True)
class Caller:
    """A program with a token, asking for its owner.

    Args:
        token: what it proved itself with.
        named: the slug of the project that the request names; empty for none.
        may_change: the token is not only for reading.
        address: of the portal, as the request reached it, without a slash at the end.
    """

    token: ApiToken
    named: str
    may_change: bool
    address: str = ""

    @property
    def user(self) -> User:
        """Whose rights count."""
        return self.token.user

    @property
    def own_slug(self) -> str:
        """The slug of the project that plain names mean, seen or not, or empty."""
        default = self.token.default_project
        return self.named or (default.slug if default else "")

    @cached_property
    def project(self) -> Project | None:
        """The project that plain names mean: of the request, or of the token.

        Raises:
            MlflowError: the request names a project that the caller cannot see.
        """
        visible = Project.objects.visible_to(self.user)
        if not self.named:
            default = self.token.default_project
            return visible.filter(pk=default.pk).first() if default else None
        found = visible.filter(slug=self.named).first()
        if found is None:
            raise absent(f"There is no project {self.named} that you can see.")
        return found

    def place(self, name: str) -> tuple[Project, str]:
        """Say which project and experiment a name means.

        Raises:
            MlflowError: it could mean two, or none.
        """
        before, slash, rest = name.partition("/")
        named = self._visible_project(before) if slash else None
        if named is None or named == self.project:
            return self._plain(name if named is None else rest)
        if self.named or (self.project and self._has(self.project, name)):
            raise MlflowError(
                INVALID,
                f"The name {name} could mean an experiment of {named.slug} or one of "
                f"{self.project.slug if self.project else self.named}. Begin it with "
                "the project that you mean, or rename one of them.",
            )
        return named, rest

    def shown_name(self, experiment: Experiment) -> str:
        """Write a name as `place` reads it."""
        if self.project and experiment.project_id == self.project.pk:
            return experiment.name
        return f"{experiment.project.slug}/{experiment.name}"

    def shown_id(self, experiment: Experiment) -> str:
        """Write an id: `0` for the Default experiment of the default project."""
        return self.id_of(experiment.pk, experiment.name, experiment.project_id)

    def id_of(self, key: UUID, name: str, project: UUID) -> str:
        """Write the id of an experiment that is known by its columns."""
        is_default = name == DEFAULT_NAME and self.project is not None
        if is_default and project == self.project.pk:  # type: ignore[union-attr]
            return DEFAULT_ID
        return key.hex

    def experiments(self) -> QuerySet[Experiment]:
        """All experiments that the caller sees, with their projects."""
        return Experiment.objects.visible_to(self.user).select_related("project")

    def experiment(self, text: str) -> Experiment:
        """Find an experiment by its id.

        Raises:
            MlflowError: the caller sees none.
        """
        if text == DEFAULT_ID:
            return self.default_experiment()
        pk = read_id(text)
        found = self.experiments().filter(pk=pk).first() if pk else None
        if found is None:
            raise absent(f"No Experiment with id={text[:ID_DIGITS]} exists for you.")
        return found

    def default_experiment(self) -> Experiment:
        """Find the experiment of scripts that name none, or make it.

        Raises:
            MlflowError: the token has no default project, or it has no such experiment
                and the caller may not make one.
        """
        experiment = self.make_default()
        if experiment is None:
            raise absent(NO_DEFAULT)
        return experiment

    def make_default(self) -> Experiment | None:
        """Find the Default experiment of the default project, or make it.

        Returns:
            None without a default project, or where the caller may not make one.
        """
        if self.project is None:
            return None
        found = self.experiments().filter(project=self.project, name=DEFAULT_NAME)
        if experiment := found.first():
            return experiment
        may = rules.can_create_experiment(self.user, self.project)
        if not self.may_change or not may:
            return None
        return actions.create_experiment(
            project=self.project, name=DEFAULT_NAME, by=self.user
        )

    def named_experiment(self, name: str) -> Experiment:
        """Find an experiment by its name; deleted ones are found too.

        Raises:
            MlflowError: the name could mean two, or the caller sees none.
        """
        project, plain = self.place(name)
        if plain == DEFAULT_NAME and project == self.project:
            return self.default_experiment()
        found = self.experiments().filter(project=project, name=plain).first()
        if found is None:
            raise absent(
                f"There is no experiment {plain[:80]} in project {project.slug}."
            )
        return found

    def run(self, text: str) -> Run:
        """Find a run by its id.

        Raises:
            MlflowError: the caller sees none.
        """
        pk = read_id(text)
        visible = Run.objects.visible_to(self.user).select_related(
            "experiment__project"
        )
        found = visible.filter(pk=pk).first() if pk else None
        if found is None:
            raise absent(f"Run with id={text[:ID_DIGITS]} not found.")
        return found

    def logged_model(self, text: str, *, deleted_too: bool = False) -> LoggedModel:
        """Find a logged model by its id, `m-` and 32 hexadecimal digits.

        Raises:
            MlflowError: the caller sees none, or it is deleted.
        """
        pk = _model_id(text)
        visible = LoggedModel.objects.visible_to(self.user).select_related(
            "experiment__project", "source_run"
        )
        rows = visible if deleted_too else visible.active()
        found = rows.filter(pk=pk).first() if pk else None
        if found is None:
            raise absent(f"Logged model with ID '{text[:40]}' not found.")
        return found

    def _plain(self, name: str) -> tuple[Project, str]:
        if self.project is None:
            raise MlflowError(
                INVALID,
                f"Which project does the experiment {name[:80]} belong to? Name it as "
                "project/experiment, or issue a token with a default project on your "
                "account page.",
            )
        return self.project, name

    def _visible_project(self, slug: str) -> Project | None:
        return Project.objects.visible_to(self.user).filter(slug=slug).first()

    def _has(self, project: Project, name: str) -> bool:
        return self.experiments().filter(project=project, name=name).exists()


def model_key(text: str) -> UUID:
    """Read the id of a logged model; whether it is there is not asked.

    Raises:
        MlflowError: it is none.
    """
    pk = _model_id(text)
    if pk is None:
        raise absent(f"Logged model with ID '{text[:40]}' not found.")
    return pk


def _model_id(text: str) -> UUID | None:
    return read_id(text[2:]) if text.startswith("m-") else None


def read_id(text: str) -> UUID | None:
    """Read an id of 32 hexadecimal digits; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
