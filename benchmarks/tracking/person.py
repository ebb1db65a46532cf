"""The data scientist who is measured."""

from apps.accounts.actions import issue_token
from apps.accounts.models import User
from apps.projects.models import Membership, Project

EMAIL = "scientist@agency.example"


def make() -> str:
    """Make a person in a project; give a token that has it for its default."""
    person = User.objects.create(email=EMAIL, full_name="Sam Scientist")
    project = Project.objects.create(slug="bench", name="Bench", created_by=person)
    Membership.objects.create(project=project, user=person, role="data_scientist")
    _, token = issue_token(
        name="Bench", scope="write", days=1, by=person, default_project=project.slug
    )
    return token


def key() -> object:
    """The primary key of the person."""
    return User.objects.get(email=EMAIL).pk
