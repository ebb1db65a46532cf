"""Base of the views of the REST API, apart from `rest` because DRF's load it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import generics
from rest_framework.request import Request

if TYPE_CHECKING:
    from apps.accounts.models import User


class ApiRequest(Request):
    """A request that the permission classes let through: it has an account."""

    user: User


class ApiView(generics.GenericAPIView[Any]):
    """A view whose request has an account, with the portal's paging."""

    request: ApiRequest
    serializer_class: Any = None
