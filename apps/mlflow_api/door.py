"""The one way in: who asks, what for, and every refusal in MLflow's form."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.authentication import NOT_USABLE, READS_ONLY, token_with
from apps.accounts.models import TokenScope
from apps.core.errors import PortalError
from apps.mlflow_api.caller import HEADER, Caller
from apps.mlflow_api.errors import MlflowError, response_to
from apps.mlflow_api.fields import Shape, read_fields

UNAUTHENTICATED = "UNAUTHENTICATED"

P = ParamSpec("P")
Fields = dict[str, Any]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
Asked = Callable[Concatenate[HttpRequest, Caller, P], HttpResponseBase]


def caller_of(request: HttpRequest) -> Caller:
    """Say who asks.

    Raises:
        MlflowError: no token, or none that opens.
    """
    kind, _, rest = request.headers.get("Authorization", "").partition(" ")
    secret = rest.strip()
    if kind.lower() == "basic":
        secret = _password(secret)
    elif kind.lower() != "bearer":
        secret = ""
    if not secret:
        raise MlflowError(
            UNAUTHENTICATED,
            "Set MLFLOW_TRACKING_TOKEN to an API token from your account page.",
            401,
        )
    token = token_with(secret)
    if token is None:
        raise MlflowError(UNAUTHENTICATED, NOT_USABLE, 401)
    request.user = token.user
    may_change = token.scope == TokenScope.WRITE
    address = request.build_absolute_uri("/").rstrip("/")
    return Caller(token, request.headers.get(HEADER, ""), may_change, address)


def _password(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def door(*methods: str, changes: bool = True) -> Callable[[Asked[P]], View[P]]:
    """Let only callers with a token in, by these methods.

    Args:
        methods: of HTTP.
        changes: a token that only reads is refused.
    """

    def decorate(view: Asked[P]) -> View[P]:
        @csrf_exempt
        def answer(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            try:
                if request.method not in methods:
                    raise _no_such_method(request)
                caller = caller_of(request)
                if changes and not caller.may_change:
                    raise MlflowError("PERMISSION_DENIED", READS_ONLY, 403)
                return view(request, caller, *args, **kwargs)
            except PortalError as error:
                request.portal_error = error  # type: ignore[attr-defined]
                return response_to(error)
            except MlflowError as error:
                return response_to(error)
            except UnreadablePostError:
                return response_to(MlflowError("BAD_REQUEST", "The body broke off."))

        return answer

    return decorate


def endpoint(
    shape: Shape, *methods: str, changes: bool = True
) -> Callable[[Callable[[Caller, Fields], Fields]], View[[]]]:
    """Make a view of a function from fields to fields, both as JSON objects."""

    def decorate(function: Callable[[Caller, Fields], Fields]) -> View[[]]:
        @door(*(methods or ("POST",)), changes=changes)
        def view(request: HttpRequest, caller: Caller, /) -> HttpResponseBase:
            answer = function(caller, read_fields(request, shape))
            return HttpResponse(orjson.dumps(answer), content_type="application/json")

        return view

    return decorate


def _no_such_method(request: HttpRequest) -> MlflowError:
    return MlflowError(
        "ENDPOINT_NOT_FOUND", f"No {request.method} {request.path} here.", 404
    )
