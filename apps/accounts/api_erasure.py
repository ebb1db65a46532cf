from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.accounts import actions, rules
from apps.accounts.models import ErasureRequest, User
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView


class ErasureInput(serializers.Serializer[Any]):
    person = serializers.UUIDField()
    legal_basis = serializers.CharField(max_length=2000)


class ApproveErasureInput(serializers.Serializer[Any]):
    password = serializers.CharField(
        max_length=128, trim_whitespace=False, write_only=True
    )


class ErasureOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    person = serializers.UUIDField(source="person_id")
    legal_basis = serializers.CharField()
    status = serializers.CharField()
    requested_by = serializers.UUIDField(source="requested_by_id")
    requested_at = serializers.DateTimeField()
    decided_by = serializers.UUIDField(source="decided_by_id", allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)


class _ErasureBase(ETagMixin, ApiView):
    serializer_class = ErasureOutput

    def get_queryset(self) -> Any:
        return ErasureRequest.objects.visible_to(self.request.user)


class ErasuresView(_ErasureBase):
    @extend_schema(responses=ErasureOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """Requests to erase people, newest first; for administrators."""
        ensure(rules.can_see_erasures(request.user))
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(ErasureOutput(page, many=True).data)

    @extend_schema(request=ErasureInput, responses={201: ErasureOutput})
    def post(self, request: ApiRequest) -> Response:
        """Ask that nothing in the portal says any more who a person was."""
        given = ErasureInput(data=request.data)
        given.is_valid(raise_exception=True)
        visible = User.objects.visible_to(request.user)
        erasure = actions.request_erasure(
            person=get_object_or_404(visible, pk=given.validated_data["person"]),
            legal_basis=given.validated_data["legal_basis"],
            by=request.user,
        )
        return Response(
            ErasureOutput(erasure).data,
            status=201,
            headers={"Location": f"{request.path}/{erasure.pk}"},
        )


class ErasureView(_ErasureBase):
    @extend_schema(responses=ErasureOutput)
    def get(self, request: ApiRequest, pk: str) -> Response:
        """One request to erase a person."""
        return Response(ErasureOutput(self.get_object()).data)


class ApproveErasureView(_ErasureBase):
    @extend_schema(request=ApproveErasureInput, responses=ErasureOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Erase the person, as the second administrator; with the password."""
        given = ApproveErasureInput(data=request.data)
        given.is_valid(raise_exception=True)
        erasure = actions.approve_erasure(
            erasure=self.get_object(), **given.validated_data, by=request.user
        )
        return Response(ErasureOutput(erasure).data)


class WithdrawErasureView(_ErasureBase):
    @extend_schema(request=None, responses=ErasureOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """End a request; the person stays known."""
        erasure = actions.withdraw_erasure(erasure=self.get_object(), by=request.user)
        return Response(ErasureOutput(erasure).data)


urlpatterns = [
    path("erasures", ErasuresView.as_view(), name="erasures"),
    path("erasures/<uuid:pk>", ErasureView.as_view(), name="erasure"),
    path(
        "erasures/<uuid:pk>/approve",
        ApproveErasureView.as_view(),
        name="approve_erasure",
    ),
    path(
        "erasures/<uuid:pk>/withdraw",
        WithdrawErasureView.as_view(),
        name="withdraw_erasure",
    ),
]
