"""Errors in the form that MLflow's clients read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.http import JsonResponse

from apps.core.errors import Invalid, NoRoom, PortalError, Refused, TooLarge, WrongState
from apps.experiments.actions import NameTaken
from apps.experiments.parts import NoSuchUpload, TooManyUploads
from apps.registry.actions import ModelNameTaken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponse

INVALID = "INVALID_PARAMETER_VALUE"
ABSENT = "RESOURCE_DOES_NOT_EXIST"
# Clients repeat what is answered with 408, 429 or from 500 on, for minutes: only what
# passes by itself may be answered so.
_CODES: dict[type[PortalError], tuple[str, int]] = {
    NoSuchUpload: (ABSENT, 404),
    Refused: ("PERMISSION_DENIED", 403),
    TooManyUploads: ("REQUEST_LIMIT_EXCEEDED", 429),
    WrongState: (INVALID, 400),
    Invalid: (INVALID, 400),
    TooLarge: (INVALID, 400),
    NoRoom: ("TEMPORARILY_UNAVAILABLE", 503),
}


class MlflowError(Exception):
    """An answer that only MLflow's interface knows.

    Args:
        code: in MLflow's words; clients raise by it.
        message: one sentence for the person who runs the script.
        status: of HTTP.
    """

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def absent(message: str) -> MlflowError:
    """Say that something is not there, or not for this person."""
    return MlflowError(ABSENT, message, 404)


@contextmanager
def telling_taken(what: str) -> Iterator[None]:
    """Begin with the words that clients compare when a name is in use."""
    try:
        yield
    except (NameTaken, ModelNameTaken) as error:
        raise MlflowError(
            "RESOURCE_ALREADY_EXISTS", f"{what} already exists. {error.message}"
        ) from error


def response_to(error: PortalError | MlflowError) -> HttpResponse:
    """Answer an error."""
    if isinstance(error, PortalError):
        found = (_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
        code, status = next(found, ("BAD_REQUEST", 400))
        error = MlflowError(code, error.message, status)
    response = JsonResponse(
        {"error_code": error.code, "message": error.message}, status=error.status
    )
    if error.status == 401:  # noqa: PLR2004
        response["WWW-Authenticate"] = 'Bearer, Basic realm="portal"'
    return response
