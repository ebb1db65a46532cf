"""Emergency approvals over the REST API."""

from typing import Any

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.approvals import actions
from apps.approvals.api import RejectInput
from apps.approvals.api_exceptions import VersionView
from apps.approvals.models import (
    MAX_COMMENT_CHARACTERS,
    EmergencyApproval,
)
from apps.audit.waiting import seal_header
from apps.core.rest_views import ApiRequest, ApiView


class EmergencyInput(serializers.Serializer[Any]):
    comment = serializers.CharField(
        max_length=MAX_COMMENT_CHARACTERS, help_text="What the emergency is."
    )
    hours = serializers.IntegerField(
        min_value=1,
        help_text="Until when others must confirm it; the policy limits them.",
    )
    password = serializers.CharField(
        max_length=128, trim_whitespace=False, write_only=True
    )


class EmergencySignatureOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    meaning = serializers.CharField()
    comment = serializers.CharField()
    signer_name = serializers.CharField()
    signer_title = serializers.CharField()
    signed_at = serializers.DateTimeField()
    evidence_digest = serializers.CharField()
    record_sha256 = serializers.CharField()


class EmergencyOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    project = serializers.SlugField(source="version.model.project.slug")
    model = serializers.SlugField(source="version.model.name")
    version = serializers.IntegerField(source="version.number")
    status = serializers.CharField()
    status_reason = serializers.CharField()
    reason = serializers.CharField()
    declared_at = serializers.DateTimeField()
    confirm_by = serializers.DateTimeField()
    holds_until = serializers.DateTimeField()
    unmet_practices = serializers.ListField(child=serializers.CharField())
    policy = serializers.JSONField()
    evidence = serializers.JSONField()
    evidence_digest = serializers.CharField()
    moved = serializers.JSONField()
    signatures = EmergencySignatureOutput(many=True, source="signatures.all")


class EmergenciesView(ApiView):
    serializer_class = EmergencyOutput

    @extend_schema(responses=EmergencyOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """Emergency approvals that I can see, newest first."""
        visible = EmergencyApproval.objects.visible_to(request.user)
        page = self.paginate_queryset(visible.with_story())
        return self.get_paginated_response(EmergencyOutput(page, many=True).data)


class DeclareEmergencyView(VersionView):
    serializer_class = EmergencyOutput

    @extend_schema(request=EmergencyInput, responses={201: EmergencyOutput})
    def post(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Let a version serve now; it lapses unless two others confirm."""
        version = self.version(slug, name, number)
        given = EmergencyInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        reason = said.pop("comment")
        made = actions.declare_emergency(
            version=version, reason=reason, **said, by=request.user
        )
        location = reverse("v1:emergency", args=[made.pk])
        headers = {**seal_header(), "Location": location}
        return Response(EmergencyOutput(made).data, status=201, headers=headers)


class EmergencyBase(ApiView):
    serializer_class = EmergencyOutput
    lookup_field = "pk"

    def get_queryset(self) -> Any:
        return EmergencyApproval.objects.visible_to(self.request.user).with_story()


class EmergencyView(EmergencyBase):
    @extend_schema(responses=EmergencyOutput)
    def get(self, request: ApiRequest, pk: str) -> Response:
        """One emergency approval with its evidence and signatures."""
        return Response(EmergencyOutput(self.get_object()).data)


class ConfirmEmergencyView(EmergencyBase):
    @extend_schema(request=RejectInput, responses=EmergencyOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Confirm that it was right; the second confirmation lets it stand."""
        found = self.get_object()
        given = RejectInput(data=request.data)
        given.is_valid(raise_exception=True)
        actions.confirm_emergency(
            emergency=found, **given.validated_data, by=request.user
        )
        output = EmergencyOutput(self.get_object()).data
        return Response(output, headers=seal_header())


class EndEmergencyView(EmergencyBase):
    @extend_schema(request=RejectInput, responses=EmergencyOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """End it before its hour; the version no longer serves by it."""
        found = self.get_object()
        given = RejectInput(data=request.data)
        given.is_valid(raise_exception=True)
        actions.end_emergency(
            emergency=found,
            reason=given.validated_data["comment"],
            password=given.validated_data["password"],
            by=request.user,
        )
        output = EmergencyOutput(self.get_object()).data
        return Response(output, headers=seal_header())


urlpatterns = [
    path("emergencies", EmergenciesView.as_view(), name="emergencies"),
    path("emergencies/<uuid:pk>", EmergencyView.as_view(), name="emergency"),
    path(
        "emergencies/<uuid:pk>/confirm",
        ConfirmEmergencyView.as_view(),
        name="confirm_emergency",
    ),
    path("emergencies/<uuid:pk>/end", EndEmergencyView.as_view(), name="end_emergency"),
    path(
        "projects/<slug:slug>/models/<str:name>/versions/<int:number>/emergencies",
        DeclareEmergencyView.as_view(),
        name="declare_emergency",
    ),
]
