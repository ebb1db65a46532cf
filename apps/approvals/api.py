from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from apps.approvals import actions, queries
from apps.approvals.models import (
    MAX_COMMENT_CHARACTERS,
    ApprovalRequest,
    Condition,
    NewCondition,
    SignOff,
)
from apps.audit.waiting import seal_header
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.projects.queries import person_by_email
from apps.registry.models import ModelVersion


class RequestInput(serializers.Serializer[Any]):
    message = serializers.CharField(
        max_length=MAX_COMMENT_CHARACTERS, allow_blank=True, default=""
    )


class SignOffInput(serializers.Serializer[Any]):
    comment = serializers.CharField(
        max_length=MAX_COMMENT_CHARACTERS, allow_blank=True, default=""
    )
    password = serializers.CharField(
        max_length=128, trim_whitespace=False, write_only=True
    )


class ConditionInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=MAX_COMMENT_CHARACTERS)
    owner = serializers.EmailField(help_text="E-mail address of a member.")
    due_on = serializers.DateField()


class ConditionalSignOffInput(SignOffInput):
    conditions = ConditionInput(many=True, required=False, default=list)


class RejectInput(SignOffInput):
    comment = serializers.CharField(max_length=MAX_COMMENT_CHARACTERS)


class ConditionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    text = serializers.CharField()
    owner = serializers.CharField(source="owner.full_name")
    due_on = serializers.DateField()
    met_at = serializers.DateTimeField(allow_null=True)


class SignOffOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    decision = serializers.CharField()
    meaning = serializers.CharField()
    comment = serializers.CharField()
    signer_name = serializers.CharField()
    signer_title = serializers.CharField()
    signer_organisation = serializers.CharField()
    in_place_of = serializers.CharField(
        source="delegation.giver.full_name", default=None
    )
    evidence_digest = serializers.CharField()
    signed_at = serializers.DateTimeField()
    record_sha256 = serializers.CharField()
    withdrawn_at = serializers.DateTimeField(source="withdrawal.at", default=None)
    conditions = ConditionOutput(many=True, source="conditions.all")


class StageOutput(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    title = serializers.CharField()
    role = serializers.CharField()
    required_signatures = serializers.IntegerField(source="required")
    meaning = serializers.CharField()
    completed_at = serializers.DateTimeField(allow_null=True)


class SignedStageOutput(StageOutput):
    sign_offs = SignOffOutput(many=True, source="sign_offs.all")


class _RequestFacts(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    project = serializers.SlugField(source="version.model.project.slug")
    model = serializers.SlugField(source="version.model.name")
    version = serializers.IntegerField(source="version.number")
    status = serializers.CharField()
    message = serializers.CharField()
    evidence_digest = serializers.CharField()
    requested_by = serializers.CharField(source="requested_by.full_name")
    requested_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class RequestSummary(_RequestFacts):
    stages = StageOutput(many=True, source="stages.all")


class RequestOutput(_RequestFacts):
    report_id = serializers.UUIDField()
    policy = serializers.JSONField()
    evidence = serializers.JSONField()
    status_reason = serializers.CharField()
    moved = serializers.JSONField()
    expires_at = serializers.DateTimeField(allow_null=True)
    stages = serializers.SerializerMethodField()

    @extend_schema_field(SignedStageOutput(many=True))
    def get_stages(self, approval: ApprovalRequest) -> Any:
        stages = queries.stages_with_sign_offs(approval)
        return SignedStageOutput(stages, many=True).data


class RequestsView(ApiView):
    serializer_class = RequestSummary

    @extend_schema(responses=RequestSummary(many=True))
    def get(self, request: ApiRequest) -> Response:
        """Approval requests that I can see, newest first."""
        visible = ApprovalRequest.objects.visible_to(request.user)
        page = self.paginate_queryset(queries.with_stages(visible))
        return self.get_paginated_response(RequestSummary(page, many=True).data)


class RequestApprovalView(ApiView):
    serializer_class = RequestInput

    @extend_schema(request=RequestInput, responses={201: RequestOutput})
    def post(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Ask for the approval of a validated version; evidence is frozen."""
        version = get_object_or_404(
            ModelVersion.objects.visible_to(request.user),
            model__project__slug=slug,
            model__name=name,
            number=number,
        )
        given = RequestInput(data=request.data)
        given.is_valid(raise_exception=True)
        approval = actions.request_approval(
            version=version, **given.validated_data, by=request.user
        )
        location = reverse("v1:approval_request", args=[approval.pk])
        return Response(
            RequestOutput(approval).data, status=201, headers={"Location": location}
        )


class RequestBase(ApiView):
    serializer_class = RequestOutput
    lookup_field = "pk"

    def get_queryset(self) -> Any:
        visible = ApprovalRequest.objects.visible_to(self.request.user)
        return visible.select_related(
            "version__model__project",
            "version__run",
            "version__card",
            "report",
            "requested_by",
        )


class RequestView(ETagMixin, RequestBase):
    @extend_schema(responses=RequestOutput)
    def get(self, request: ApiRequest, pk: str) -> Response:
        """One request with its evidence, stages and signatures."""
        return Response(RequestOutput(self.get_object()).data)


class SignOffView(RequestBase):
    @extend_schema(request=ConditionalSignOffInput, responses=RequestOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Sign the present stage; the last signature makes the version champion."""
        approval = self.get_object()
        given = ConditionalSignOffInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        conditions = [
            NewCondition(row["text"], person_by_email(row["owner"]), row["due_on"])
            for row in said.pop("conditions")
        ]
        actions.sign_off(
            approval=approval, **said, conditions=conditions, by=request.user
        )
        output = RequestOutput(self.get_object()).data
        return Response(output, headers=seal_header())


class RejectView(RequestBase):
    @extend_schema(request=RejectInput, responses=RequestOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Reject at the present stage, with a reason."""
        approval = self.get_object()
        given = RejectInput(data=request.data)
        given.is_valid(raise_exception=True)
        actions.reject(approval=approval, **given.validated_data, by=request.user)
        return Response(RequestOutput(self.get_object()).data)


class RequestChangesView(RequestBase):
    @extend_schema(request=RejectInput, responses=RequestOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Send the request back to its author, saying what must change."""
        approval = self.get_object()
        given = RejectInput(data=request.data)
        given.is_valid(raise_exception=True)
        actions.request_changes(
            approval=approval, **given.validated_data, by=request.user
        )
        return Response(RequestOutput(self.get_object()).data)


class WithdrawSignOffView(RequestBase):
    @extend_schema(request=RejectInput, responses=RequestOutput)
    def post(self, request: ApiRequest, pk: str, sign_off: str) -> Response:
        """Take one's own signature back, with a reason, while others may sign."""
        approval = self.get_object()
        visible = SignOff.objects.visible_to(request.user)
        found = get_object_or_404(
            visible.select_related("stage__request"),
            pk=sign_off,
            stage__request=approval,
        )
        given = RejectInput(data=request.data)
        given.is_valid(raise_exception=True)
        actions.withdraw_sign_off(
            sign_off=found,
            reason=given.validated_data["comment"],
            password=given.validated_data["password"],
            by=request.user,
        )
        output = RequestOutput(self.get_object()).data
        return Response(output, headers=seal_header())


class EvidenceInput(serializers.Serializer[Any]):
    evidence = serializers.CharField(max_length=MAX_COMMENT_CHARACTERS)


class MeetConditionView(RequestBase):
    @extend_schema(request=EvidenceInput, responses=ConditionOutput)
    def post(self, request: ApiRequest, pk: str, condition: str) -> Response:
        """Say that a condition is met, and what shows it."""
        visible = Condition.objects.visible_to(request.user)
        found = get_object_or_404(visible.of(self.get_object()), pk=condition)
        given = EvidenceInput(data=request.data)
        given.is_valid(raise_exception=True)
        met = actions.meet_condition(
            condition=found, **given.validated_data, by=request.user
        )
        return Response(ConditionOutput(met).data)


class RevokeView(RequestBase):
    @extend_schema(request=RejectInput, responses=RequestOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """End an approval that stands; the version no longer serves."""
        approval = self.get_object()
        given = RejectInput(data=request.data)
        given.is_valid(raise_exception=True)
        actions.revoke_approval(
            approval=approval,
            reason=given.validated_data["comment"],
            password=given.validated_data["password"],
            by=request.user,
        )
        output = RequestOutput(self.get_object()).data
        return Response(output, headers=seal_header())


class WithdrawRequestView(RequestBase):
    @extend_schema(request=None, responses=RequestOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Take the request back; the version is validated, as before."""
        approval = self.get_object()
        actions.withdraw_request(approval=approval, by=request.user)
        return Response(RequestOutput(self.get_object()).data)


urlpatterns = [
    path("approval-requests", RequestsView.as_view(), name="approval_requests"),
    path("approval-requests/<uuid:pk>", RequestView.as_view(), name="approval_request"),
    path(
        "approval-requests/<uuid:pk>/sign-off", SignOffView.as_view(), name="sign_off"
    ),
    path("approval-requests/<uuid:pk>/reject", RejectView.as_view(), name="reject"),
    path(
        "approval-requests/<uuid:pk>/request-changes",
        RequestChangesView.as_view(),
        name="request_changes",
    ),
    path(
        "approval-requests/<uuid:pk>/sign-offs/<uuid:sign_off>/withdraw",
        WithdrawSignOffView.as_view(),
        name="withdraw_sign_off",
    ),
    path(
        "approval-requests/<uuid:pk>/conditions/<uuid:condition>/meet",
        MeetConditionView.as_view(),
        name="meet_condition",
    ),
    path("approval-requests/<uuid:pk>/revoke", RevokeView.as_view(), name="revoke"),
    path(
        "approval-requests/<uuid:pk>/withdraw",
        WithdrawRequestView.as_view(),
        name="withdraw_request",
    ),
    path(
        "projects/<slug:slug>/models/<str:name>/versions/<int:number>/"
        "approval-requests",
        RequestApprovalView.as_view(),
        name="request_approval",
    ),
]
