"""The roles of the portal and what each permits.

A role is stored by its slug. A *project* role is held as a member of one project. An
*agency* role is held everywhere. Somebody who holds a project role agency-wide may do
with it only what belongs to no project: a program manager may open a new one.
"""

from dataclasses import dataclass
from enum import StrEnum

from apps.access.permissions import Permission

P = Permission


class Reach(StrEnum):
    """Where a role counts."""

    PROJECT = "project"
    AGENCY = "agency"


@dataclass(frozen=True)
class Role:
    """What a kind of person does here.

    Args:
        slug: what is stored.
        title: what people read.
        description: one sentence for the people who give out roles.
        reach: whether it counts in one project or everywhere.
        permissions: what its holder may ask for.
    """

    slug: str
    title: str
    description: str
    reach: Reach
    permissions: frozenset[P]


PROGRAM_MANAGER = Role(
    slug="program_manager",
    title="Program manager",
    description="States the mission objective, chooses the members, reviews the "
    "evidence and gives the last signature.",
    reach=Reach.PROJECT,
    permissions=frozenset(
        {
            P.APPROVAL_DISCUSS,
            P.APPROVAL_SIGN_OFF,
            P.AUDIT_EXPORT,
            P.AUDIT_READ,
            P.DATASET_GRANT,
            P.EMERGENCY_CONFIRM,
            P.EMERGENCY_DECLARE,
            P.FINDING_ACCEPT,
            P.MEMBER_MANAGE,
            P.MODEL_GRANT,
            P.PRACTICE_STATE,
            P.PROJECT_CREATE,
            P.PROJECT_EDIT,
            P.PROJECT_READ,
            P.REGENERATION_REQUEST,
            P.SEALED_BUDGET_SET,
            P.WEBHOOK_MANAGE,
        }
    ),
)
DATA_SCIENTIST = Role(
    slug="data_scientist",
    title="Data scientist",
    description="Uploads data, launches training, registers models and asks for "
    "their approval.",
    reach=Reach.PROJECT,
    permissions=frozenset(
        {
            P.APPROVAL_DISCUSS,
            P.APPROVAL_REQUEST,
            P.AUDIT_READ,
            P.DATASET_DOWNLOAD,
            P.DATASET_EDIT,
            P.DATASET_GRANT,
            P.DATASET_IMPORT,
            P.DATASET_UPLOAD,
            P.EXPERIMENT_CREATE,
            P.MODEL_DOWNLOAD,
            P.MODEL_EDIT_CARD,
            P.MODEL_GRANT,
            P.MODEL_REGISTER,
            P.PLAN_WRITE,
            P.PRACTICE_STATE,
            P.PROJECT_READ,
            P.REGENERATION_REQUEST,
            P.REPORT_REQUEST,
            P.RUN_RECORD,
            P.TRAINING_LAUNCH,
        }
    ),
)
VALIDATOR = Role(
    slug="validator",
    title="Validator",
    description="Challenges models built by others: writes acceptance criteria, asks "
    "for reports and signs the technical stage.",
    reach=Reach.PROJECT,
    permissions=frozenset(
        {
            P.APPROVAL_DISCUSS,
            P.APPROVAL_SIGN_OFF,
            P.AUDIT_READ,
            P.DATASET_DOWNLOAD,
            P.EMERGENCY_CONFIRM,
            P.FINDING_RAISE,
            P.MODEL_DOWNLOAD,
            P.PLAN_WRITE,
            P.PROJECT_READ,
            P.REGENERATION_REQUEST,
            P.REPORT_REQUEST,
        }
    ),
)
OPERATIONS_MANAGER = Role(
    slug="operations_manager",
    title="Operations manager",
    description="Confirms that a model is ready to be run and signs the operations "
    "stage.",
    reach=Reach.PROJECT,
    permissions=frozenset(
        {
            P.APPROVAL_DISCUSS,
            P.APPROVAL_SIGN_OFF,
            P.AUDIT_READ,
            P.EMERGENCY_CONFIRM,
            P.MODEL_DOWNLOAD,
            P.PRACTICE_STATE,
            P.PROJECT_READ,
        }
    ),
)
DEVELOPER = Role(
    slug="developer",
    title="Developer",
    description="Pulls model cards and model files over the API.",
    reach=Reach.PROJECT,
    permissions=frozenset({P.APPROVAL_DISCUSS, P.MODEL_DOWNLOAD, P.PROJECT_READ}),
)
AUDITOR = Role(
    slug="auditor",
    title="Auditor",
    description="Reads everything and changes nothing in it; has models regenerated, "
    "exports the audit trail, holds parts of it back from removal and agrees to the "
    "removal of others.",
    reach=Reach.AGENCY,
    permissions=frozenset(
        {
            P.AUDIT_APPROVE_PRUNE,
            P.AUDIT_EXPORT,
            P.AUDIT_HOLD,
            P.AUDIT_READ,
            P.HEALTH_READ,
            P.PROJECT_READ,
            P.REGENERATION_REQUEST,
        }
    ),
)
AI_OFFICIAL = Role(
    slug="ai_official",
    title="AI official",
    description="Determines which uses of AI are high-impact, in every project, and "
    "grants and revokes waivers of minimum practices, and writes the policies by "
    "which models are approved.",
    reach=Reach.AGENCY,
    permissions=frozenset(
        {
            P.APPROVAL_DISCUSS,
            P.AUDIT_READ,
            P.EMERGENCY_CONFIRM,
            P.POLICY_EDIT,
            P.PROJECT_DETERMINE_IMPACT,
            P.PROJECT_READ,
            P.WAIVER_SIGN,
        }
    ),
)
ADMINISTRATOR = Role(
    slug="administrator",
    title="Administrator",
    description="Manages accounts, agency roles and how long things are kept. Sees no "
    "project and can never sign.",
    reach=Reach.AGENCY,
    permissions=frozenset(
        {
            P.ACCOUNT_MANAGE,
            P.AUDIT_ACCEPT_FLAW,
            P.AUDIT_ACCEPT_LOSS,
            P.AUDIT_MOVE_STREAM,
            P.AUDIT_PRUNE,
            P.AUDIT_ROTATE_KEY,
            P.HEALTH_READ,
            P.PERSON_ERASE,
        }
    ),
)
WORKER = Role(
    slug="worker",
    title="Worker",
    description="The service account that runs background work.",
    reach=Reach.AGENCY,
    permissions=frozenset({P.AUDIT_ARCHIVE, P.JOB_RUN, P.PROJECT_READ, P.RUN_RECORD}),
)

ROLES: dict[str, Role] = {
    role.slug: role
    for role in (
        PROGRAM_MANAGER,
        DATA_SCIENTIST,
        VALIDATOR,
        OPERATIONS_MANAGER,
        DEVELOPER,
        AUDITOR,
        AI_OFFICIAL,
        ADMINISTRATOR,
        WORKER,
    )
}
PROJECT_ROLES = tuple(r for r in ROLES.values() if r.reach == Reach.PROJECT)
AGENCY_ROLES = tuple(r for r in ROLES.values() if r.reach == Reach.AGENCY)
# Given by an administrator: the agency roles of people, and the right to open projects.
GRANTABLE_AGENCY_ROLES = (PROGRAM_MANAGER, AUDITOR, AI_OFFICIAL, ADMINISTRATOR)


def titles(permission: P) -> str:
    """Name the roles that hold `permission`, for a sentence of refusal."""
    held = [_in_a_sentence(r) for r in ROLES.values() if permission in r.permissions]
    return " or ".join(held)


def _in_a_sentence(role: Role) -> str:
    title = role.title
    if not title[:2].isupper():  # such as AI
        title = title.lower()
    return f"an {title}" if title[0].lower() in "aeiou" else f"a {title}"
