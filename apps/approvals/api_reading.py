"""What can be read beside a request: changes, the record, whether a version serves."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.approvals.api import RequestBase
from apps.approvals.changes import changes_since
from apps.approvals.sending import record_answer
from apps.approvals.serving import serving_decision
from apps.core.rest_views import ApiRequest, ApiView
from apps.registry.models import ModelVersion


class ChangeOutput(serializers.Serializer[Any]):
    area = serializers.CharField()
    title = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()
    size = serializers.FloatField(help_text="0 to 1; the largest change comes first.")
    better = serializers.BooleanField(allow_null=True)
    percent = serializers.FloatField(allow_null=True)


class ChangesOutput(serializers.Serializer[Any]):
    compared_with = serializers.UUIDField(
        source="before.pk", help_text="The request that was signed last."
    )
    version = serializers.IntegerField(source="before.version.number")
    notes = serializers.ListField(child=serializers.CharField(), source="doubts")
    changes = ChangeOutput(many=True, source="found")
    same = serializers.ListField(child=serializers.CharField())


class ChangesView(RequestBase):
    @extend_schema(responses=ChangesOutput)
    def get(self, request: ApiRequest, pk: str) -> Response:
        """What differs from the version that was signed last; 404 without one."""
        changes = changes_since(self.get_object(), request.user)
        if changes is None:
            raise Http404
        return Response(ChangesOutput(changes).data)


class SignOffRecordView(RequestBase):
    @extend_schema(
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            (200, "application/pdf"): OpenApiTypes.BINARY,
        }
    )
    def get(self, request: ApiRequest, pk: str, ending: str) -> HttpResponse:
        """Every signature with the proof of its seal (zip), or printed (pdf)."""
        return record_answer(self.get_object(), ending)


class ServingOutput(serializers.Serializer[Any]):
    allowed = serializers.BooleanField()
    reason = serializers.CharField(help_text="Empty when it may serve.")


class ServingView(ApiView):
    serializer_class = ServingOutput

    @extend_schema(responses=ServingOutput)
    def get(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Whether this version may serve now; asked at every load, never kept."""
        version = get_object_or_404(
            ModelVersion.objects.visible_to(request.user).select_related(
                "model__project"
            ),
            model__project__slug=slug,
            model__name=name,
            number=number,
        )
        return Response(ServingOutput(serving_decision(version)).data)


urlpatterns = [
    path(
        "approval-requests/<uuid:pk>/changes",
        ChangesView.as_view(),
        name="approval_changes",
    ),
    path(
        "approval-requests/<uuid:pk>/sign-off-record.<slug:ending>",
        SignOffRecordView.as_view(),
        name="sign_off_record",
    ),
    path(
        "projects/<slug:slug>/models/<str:name>/versions/<int:number>/serving",
        ServingView.as_view(),
        name="serving",
    ),
]
