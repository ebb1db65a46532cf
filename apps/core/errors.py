"""The answers an action can give instead of a result.

A domain error subclasses one of these beside the function that raises it. One
middleware and one REST handler turn them into a page, a fragment or a JSON body.
"""

from collections.abc import Mapping


class PortalError(Exception):
    """Tell a person in one sentence what happened and what to do.

    Args:
        message: the sentence.
        fields: for each field of the input at fault, its own sentence.
    """

    status = 400
    code = "bad_request"

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None):
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})


class Refused(PortalError):
    """The rule said no to this person."""

    status = 403
    code = "refused"


class WrongState(PortalError):
    """The object is not in a state that allows this now."""

    status = 409
    code = "wrong_state"


class Archived(PortalError):
    """It is no longer here; the message says where to ask for it."""

    status = 410
    code = "archived"


class Invalid(PortalError):
    """The input cannot be accepted as it is."""

    status = 422
    code = "invalid"


class TooLarge(PortalError):
    """The upload is larger than the portal takes."""

    status = 413
    code = "too_large"


class NoRoom(PortalError):
    """The disk of the portal is full, or would be."""

    status = 507
    code = "disk_full"
