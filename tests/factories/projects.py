"""A project with a member in every role."""

from apps.access.roles import PROJECT_ROLES
from apps.accounts.actions import service_account
from apps.projects import actions
from apps.projects.models import Project
from tests.factories import people

OBJECTIVE = actions.ObjectiveStatement(
    measure="Cost of inspections and missed damage per 1,000 strikes",
    unit="hours",
    direction="lower",
    baseline=2000.0,
    target=1200.0,
    false_alarm_cost=2.0,
    miss_cost=20.0,
)
TITLES = {
    "program_manager": "Petra Program",
    "data_scientist": "Dan Data",
    "validator": "Vera Validator",
    "operations_manager": "Oscar Operations",
    "developer": "Dev Developer",
}


def project(slug: str = "inspection", by=None) -> Project:
    """An empty project of its own program manager."""
    by = by or people.person(
        f"manager@{slug}.example", "Other Manager", agency_roles=["program_manager"]
    )
    return actions.create_project(
        slug=slug, name=slug.title(), mission="Find damage early.", by=by
    )


def world(kind):
    """One project, a member per role, and the people around it."""
    members = {
        role.slug: people.person(
            f"{role.slug}@agency.example",
            TITLES[role.slug],
            agency_roles=["program_manager"] if role.slug == "program_manager" else [],
        )
        for role in PROJECT_ROLES
    }
    manager = members["program_manager"]
    created = project(by=manager)
    actions.state_objective(project=created, statement=OBJECTIVE, by=manager)
    for role, member in members.items():
        if member != manager:
            actions.add_member(project=created, person=member, role=role, by=manager)
    return kind(
        project=created,
        **members,
        auditor=people.person(
            "auditor@agency.example", "Aud Itor", agency_roles=["auditor"]
        ),
        ai_official=people.person(
            "ai@agency.example", "Ai Official", agency_roles=["ai_official"]
        ),
        administrator=people.administrator(),
        outsider=people.person("outsider@agency.example", "Otto Outsider"),
        worker=service_account(),
    )
