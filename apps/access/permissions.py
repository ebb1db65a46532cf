"""Everything a person can be permitted to do.

A permission is named `resource.verb` after the action that asks for it. Whether the
action is possible *now* is the business of the rule beside it (`rules.py` of its app).
"""

from enum import StrEnum


class Permission(StrEnum):
    """One line per thing that can be permitted, in alphabetical order."""

    ACCOUNT_MANAGE = "account.manage"
    APPROVAL_DISCUSS = "approval.discuss"
    APPROVAL_REQUEST = "approval.request"
    APPROVAL_SIGN_OFF = "approval.sign_off"
    AUDIT_ACCEPT_FLAW = "audit.accept_flaw"
    AUDIT_ACCEPT_LOSS = "audit.accept_loss"
    AUDIT_APPROVE_PRUNE = "audit.approve_prune"
    AUDIT_ARCHIVE = "audit.archive"
    AUDIT_EXPORT = "audit.export"
    AUDIT_HOLD = "audit.hold"
    AUDIT_MOVE_STREAM = "audit.move_stream"
    AUDIT_PRUNE = "audit.prune"
    AUDIT_READ = "audit.read"
    AUDIT_ROTATE_KEY = "audit.rotate_key"
    DATASET_DOWNLOAD = "dataset.download"
    DATASET_EDIT = "dataset.edit"
    DATASET_GRANT = "dataset.grant"
    DATASET_IMPORT = "dataset.import"
    DATASET_UPLOAD = "dataset.upload"
    EMERGENCY_CONFIRM = "emergency.confirm"
    EMERGENCY_DECLARE = "emergency.declare"
    EXPERIMENT_CREATE = "experiment.create"
    FINDING_ACCEPT = "finding.accept"
    FINDING_RAISE = "finding.raise"
    HEALTH_READ = "health.read"
    JOB_RUN = "job.run"
    MEMBER_MANAGE = "member.manage"
    MODEL_DOWNLOAD = "model.download"
    MODEL_EDIT_CARD = "model.edit_card"
    MODEL_GRANT = "model.grant"
    MODEL_REGISTER = "model.register"
    PERSON_ERASE = "person.erase"
    PLAN_WRITE = "plan.write"
    POLICY_EDIT = "policy.edit"
    PRACTICE_STATE = "practice.state"
    PROJECT_CREATE = "project.create"
    PROJECT_DETERMINE_IMPACT = "project.determine_impact"
    PROJECT_EDIT = "project.edit"
    PROJECT_READ = "project.read"
    REGENERATION_REQUEST = "regeneration.request"
    REPORT_REQUEST = "report.request"
    RUN_RECORD = "run.record"
    SEALED_BUDGET_SET = "sealed_budget.set"
    TRAINING_LAUNCH = "training.launch"
    WAIVER_SIGN = "waiver.sign"
    WEBHOOK_MANAGE = "webhook.manage"

    @property
    def words(self) -> str:
        """What it permits, as the end of a sentence: somebody can …."""
        resource, _, verb = self.value.partition(".")
        words = f"{verb} ({resource})".replace("_", " ")
        return _TITLES.get(self, words)


_TITLES = {
    Permission.ACCOUNT_MANAGE: "create and close accounts and give agency roles",
    Permission.APPROVAL_DISCUSS: "write in the discussion of an approval request",
    Permission.APPROVAL_REQUEST: "ask for the approval of a model version",
    Permission.APPROVAL_SIGN_OFF: "sign off an approval request",
    Permission.AUDIT_ACCEPT_FLAW: "accept an audit event that was changed",
    Permission.AUDIT_EXPORT: "export the audit trail",
    Permission.AUDIT_READ: "read the audit trail",
    Permission.DATASET_DOWNLOAD: "download datasets",
    Permission.DATASET_EDIT: "describe datasets",
    Permission.DATASET_GRANT: "choose who sees a dataset",
    Permission.DATASET_IMPORT: "import files from the sources of the portal",
    Permission.DATASET_UPLOAD: "upload datasets",
    Permission.EMERGENCY_CONFIRM: "confirm and end emergency approvals",
    Permission.EMERGENCY_DECLARE: "approve a model version in an emergency",
    Permission.EXPERIMENT_CREATE: "create experiments",
    Permission.FINDING_ACCEPT: "accept the risk of findings",
    Permission.FINDING_RAISE: "raise and close findings on what others built",
    Permission.JOB_RUN: "run background work",
    Permission.MEMBER_MANAGE: "add and remove members and change their roles",
    Permission.MODEL_DOWNLOAD: "download model files",
    Permission.MODEL_EDIT_CARD: "write on model cards",
    Permission.MODEL_GRANT: "choose who sees a model",
    Permission.MODEL_REGISTER: "register models",
    Permission.PLAN_WRITE: "write validation plans",
    Permission.POLICY_EDIT: "write approval policies and put them in force",
    Permission.PRACTICE_STATE: "state how versions stand with minimum practices",
    Permission.PROJECT_CREATE: "open projects",
    Permission.PROJECT_DETERMINE_IMPACT: "determine the impact of a project",
    Permission.PROJECT_EDIT: "edit a project and state its objective",
    Permission.PROJECT_READ: "read projects",
    Permission.REGENERATION_REQUEST: "have models regenerated",
    Permission.REPORT_REQUEST: "ask for validation reports",
    Permission.RUN_RECORD: "record runs",
    Permission.SEALED_BUDGET_SET: "set the budget of looks at sealed data",
    Permission.TRAINING_LAUNCH: "launch training",
    Permission.WAIVER_SIGN: "grant, revoke and report waivers of minimum practices",
    Permission.WEBHOOK_MANAGE: "have other systems told about approvals",
}
