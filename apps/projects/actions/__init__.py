"""Everything that changes a project, its members or who sees single things of it."""

from apps.projects.actions.access import (
    grant,
    open_to_members,
    restrict,
    revoke_grant,
)
from apps.projects.actions.members import add_member, change_role, remove_member
from apps.projects.actions.mission import (
    PROJECT_FIELDS,
    ObjectiveStatement,
    create_project,
    determine_impact,
    edit_project,
    set_code_policy,
    state_objective,
)

__all__ = [
    "PROJECT_FIELDS",
    "ObjectiveStatement",
    "add_member",
    "change_role",
    "create_project",
    "determine_impact",
    "edit_project",
    "grant",
    "open_to_members",
    "remove_member",
    "restrict",
    "revoke_grant",
    "set_code_policy",
    "state_objective",
]
