from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.accounts.models import User
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.projects.queries import person_by_email
from apps.validation import actions
from apps.validation.actions.findings import MAX_TEXT_CHARACTERS, MAX_TITLE_CHARACTERS
from apps.validation.api import OfVersionView
from apps.validation.findings import findings_of
from apps.validation.models import Finding, FindingState, Severity, ValidationReport


class FindingInput(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=MAX_TITLE_CHARACTERS)
    text = serializers.CharField(max_length=MAX_TEXT_CHARACTERS)
    severity = serializers.ChoiceField(choices=Severity.choices)
    owner = serializers.EmailField(help_text="E-mail address of a member.")
    due_on = serializers.DateField(required=False, allow_null=True, default=None)
    report_id = serializers.UUIDField(required=False, allow_null=True, default=None)


class FindingOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    state = serializers.ChoiceField(choices=FindingState.choices)
    owner = serializers.CharField(source="owner.full_name")
    due_on = serializers.DateField(allow_null=True)
    raised_by = serializers.CharField(source="raised_by.full_name")
    raised_at = serializers.DateTimeField()
    report_id = serializers.UUIDField(allow_null=True)
    answer = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)
    closing = serializers.CharField()
    settled_at = serializers.DateTimeField(allow_null=True)


class AnswerInput(serializers.Serializer[Any]):
    answer = serializers.CharField(max_length=MAX_TEXT_CHARACTERS)


class OwnerInput(serializers.Serializer[Any]):
    owner = serializers.EmailField(help_text="E-mail address of a member.")

    def validate_owner(self, address: str) -> User:
        return person_by_email(address)


class ClosingInput(serializers.Serializer[Any]):
    closing = serializers.CharField(max_length=MAX_TEXT_CHARACTERS)


class FindingsView(OfVersionView):
    serializer_class = FindingOutput

    @extend_schema(responses=FindingOutput(many=True))
    def get(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Findings on a model version, newest first."""
        page = self.paginate_queryset(findings_of(self.get_version()))
        return self.get_paginated_response(FindingOutput(page, many=True).data)

    @extend_schema(request=FindingInput, responses={201: FindingOutput})
    def post(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Hold something against a version; its owner must answer."""
        version = self.get_version()
        given = FindingInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        wish = actions.NewFinding(
            owner=person_by_email(said.pop("owner")),
            report=self._report(said.pop("report_id")),
            **said,
        )
        finding = actions.raise_finding(version=version, wish=wish, by=request.user)
        location = reverse("v1:finding", args=[finding.pk])
        return Response(
            FindingOutput(finding).data, status=201, headers={"Location": location}
        )

    def _report(self, pk: UUID | None) -> ValidationReport | None:
        if pk is None:
            return None
        visible = ValidationReport.objects.visible_to(self.request.user)
        return get_object_or_404(visible, pk=pk)


class _FindingBase(ApiView):
    serializer_class = FindingOutput
    lookup_field = "pk"

    def get_queryset(self) -> Any:
        visible = Finding.objects.visible_to(self.request.user)
        return visible.select_related("version__model__project", "owner", "raised_by")

    def do(
        self,
        action: Callable[..., Finding],
        shape: type[serializers.Serializer[Any]],
    ) -> Response:
        """Have `action` done to the finding with what was sent, of this shape."""
        finding, given = self.get_object(), shape(data=self.request.data)
        given.is_valid(raise_exception=True)
        done = action(finding=finding, **given.validated_data, by=self.request.user)
        return Response(FindingOutput(done).data)


class FindingView(ETagMixin, _FindingBase):
    @extend_schema(responses=FindingOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One finding with its answer and how it ended."""
        return Response(FindingOutput(self.get_object()).data)


class AnswerFindingView(_FindingBase):
    @extend_schema(request=AnswerInput, responses=FindingOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Answer a finding that I own."""
        return self.do(actions.answer_finding, AnswerInput)


class HandOverFindingView(_FindingBase):
    @extend_schema(request=OwnerInput, responses=FindingOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Have somebody else answer an open finding."""
        return self.do(actions.hand_over_finding, OwnerInput)


class CloseFindingView(_FindingBase):
    @extend_schema(request=ClosingInput, responses=FindingOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Close a finding as dealt with, or as a mistake."""
        return self.do(actions.close_finding, ClosingInput)


class AcceptFindingView(_FindingBase):
    @extend_schema(request=ClosingInput, responses=FindingOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Take on the risk of a finding that does not block."""
        return self.do(actions.accept_finding, ClosingInput)


class ReopenFindingView(_FindingBase):
    @extend_schema(request=ClosingInput, responses=FindingOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Open a finding again, and say why."""
        return self.do(actions.reopen_finding, ClosingInput)


urlpatterns = [
    path(
        "projects/<slug:slug>/models/<str:name>/versions/<int:number>/findings",
        FindingsView.as_view(),
        name="findings",
    ),
    path("findings/<uuid:pk>", FindingView.as_view(), name="finding"),
    path(
        "findings/<uuid:pk>/answer", AnswerFindingView.as_view(), name="answer_finding"
    ),
    path(
        "findings/<uuid:pk>/hand_over",
        HandOverFindingView.as_view(),
        name="hand_over_finding",
    ),
    path("findings/<uuid:pk>/close", CloseFindingView.as_view(), name="close_finding"),
    path(
        "findings/<uuid:pk>/accept", AcceptFindingView.as_view(), name="accept_finding"
    ),
    path(
        "findings/<uuid:pk>/reopen", ReopenFindingView.as_view(), name="reopen_finding"
    ),
]
