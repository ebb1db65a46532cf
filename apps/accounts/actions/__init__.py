"""Everything that changes an account or a token."""

from apps.accounts.actions.erasure import (
    approve_erasure,
    request_erasure,
    withdraw_erasure,
)
from apps.accounts.actions.people import (
    PROFILE_FIELDS,
    create_first_administrator,
    create_person,
    deactivate_person,
    edit_person,
    service_account,
    set_agency_roles,
)
from apps.accounts.actions.sign_in import (
    WrongPassword,
    confirm_password,
    record_password_change,
    record_sign_in,
    record_sign_in_failure,
)
from apps.accounts.actions.tokens import (
    issue_token,
    revoke_token,
)

__all__ = [
    "PROFILE_FIELDS",
    "WrongPassword",
    "approve_erasure",
    "confirm_password",
    "create_first_administrator",
    "create_person",
    "deactivate_person",
    "edit_person",
    "issue_token",
    "record_password_change",
    "record_sign_in",
    "record_sign_in_failure",
    "request_erasure",
    "revoke_token",
    "service_account",
    "set_agency_roles",
    "withdraw_erasure",
]
