"""Statements on minimum practices, and waivers, over the REST API."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.approvals import actions
from apps.approvals.actions.practices import NewStatement
from apps.approvals.actions.waivers import NewWaiver
from apps.approvals.api import RejectInput
from apps.approvals.exception_files import summary_answer
from apps.approvals.exception_queries import waiver_counts
from apps.approvals.models import (
    MAX_COMMENT_CHARACTERS,
    Ground,
    PracticeState,
    PracticeStatement,
    Reported,
    Waiver,
)
from apps.approvals.standings import standings
from apps.audit.waiting import seal_header
from apps.core.rest_views import ApiRequest, ApiView
from apps.projects.models import Project
from apps.projects.queries import person_by_email
from apps.registry.models import ModelVersion


class PracticeStatementInput(serializers.Serializer[Any]):
    practice = serializers.SlugField(help_text="Such as pre_deployment_testing.")
    state = serializers.ChoiceField(choices=PracticeState.choices)
    text = serializers.CharField(max_length=MAX_COMMENT_CHARACTERS)
    links = serializers.ListField(child=serializers.CharField(), default=list)
    owner = serializers.EmailField(
        default=None, help_text="E-mail address of a member; for work in progress."
    )
    due_on = serializers.DateField(default=None, help_text="For work in progress.")


class PracticeStatementOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    practice = serializers.CharField()
    state = serializers.CharField()
    text = serializers.CharField()
    links = serializers.ListField(child=serializers.CharField())
    owner = serializers.CharField(source="owner.full_name", default=None)
    due_on = serializers.DateField(allow_null=True)
    written_by = serializers.CharField(source="written_by.full_name")
    written_at = serializers.DateTimeField()


class PracticeStandingOutput(serializers.Serializer[Any]):
    practice = serializers.CharField(source="practice.slug")
    section = serializers.CharField(source="practice.section")
    title = serializers.CharField(source="practice.title")
    state = serializers.CharField(
        help_text="met, not_applicable, precluded, waived, in_progress or missing."
    )
    is_settled = serializers.BooleanField()
    statement = PracticeStatementOutput(allow_null=True)
    waiver_id = serializers.UUIDField(source="waiver.pk", default=None)


class VersionView(ApiView):
    def version(self, slug: str, name: str, number: int) -> ModelVersion:
        visible = ModelVersion.objects.visible_to(self.request.user)
        return get_object_or_404(
            visible.select_related("model__project"),
            model__project__slug=slug,
            model__name=name,
            number=number,
        )


class PracticesView(VersionView):
    serializer_class = PracticeStandingOutput

    @extend_schema(responses=PracticeStandingOutput(many=True))
    def get(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """How a version stands with each minimum practice."""
        found = standings(self.version(slug, name, number))
        return Response({"results": PracticeStandingOutput(found, many=True).data})


class StatementsView(VersionView):
    serializer_class = PracticeStatementOutput

    @extend_schema(responses=PracticeStatementOutput(many=True))
    def get(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Everything stated about the practices of a version, newest first."""
        visible = PracticeStatement.objects.visible_to(request.user)
        mine = visible.filter(version=self.version(slug, name, number))
        page = self.paginate_queryset(mine.select_related("owner", "written_by"))
        return self.get_paginated_response(
            PracticeStatementOutput(page, many=True).data
        )

    @extend_schema(
        request=PracticeStatementInput, responses={201: PracticeStatementOutput}
    )
    def post(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """State how a practice stands; a new statement takes the old one's place."""
        version = self.version(slug, name, number)
        given = PracticeStatementInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        owner = person_by_email(said.pop("owner")) if said["owner"] else None
        wish = NewStatement(**{**said, "owner": owner})
        made = actions.state_practice(version=version, statement=wish, by=request.user)
        return Response(PracticeStatementOutput(made).data, status=201)


class WaiverInput(serializers.Serializer[Any]):
    practices = serializers.ListField(child=serializers.SlugField(), min_length=1)
    ground = serializers.ChoiceField(choices=Ground.choices)
    finding = serializers.CharField(max_length=MAX_COMMENT_CHARACTERS)
    public_summary = serializers.CharField(max_length=MAX_COMMENT_CHARACTERS)
    expires_on = serializers.DateField(help_text="The last day; at most a year ahead.")
    password = serializers.CharField(
        max_length=128, trim_whitespace=False, write_only=True
    )


class WaiverDutyOutput(serializers.Serializer[Any]):
    what = serializers.CharField()
    due_on = serializers.DateField()
    is_overdue = serializers.BooleanField()
    reported_on = serializers.DateField(source="report.reported_on", default=None)
    reference = serializers.CharField(source="report.reference", default=None)


class WaiverOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    project = serializers.SlugField(source="project.slug")
    practices = serializers.ListField(child=serializers.CharField())
    ground = serializers.CharField()
    finding = serializers.CharField()
    public_summary = serializers.CharField()
    standing = serializers.CharField(help_text="One of: active, over, revoked.")
    expires_on = serializers.DateField()
    signer_name = serializers.CharField()
    signed_at = serializers.DateTimeField()
    record_sha256 = serializers.CharField()
    revoked_at = serializers.DateTimeField(source="revocation.signed_at", default=None)
    revoked_because = serializers.CharField(source="revocation.reason", default=None)
    reports = WaiverDutyOutput(many=True, source="duties")


class WaiversView(ApiView):
    serializer_class = WaiverOutput

    @extend_schema(responses=WaiverOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """Waivers that I can see, newest first."""
        visible = Waiver.objects.visible_to(request.user)
        page = self.paginate_queryset(visible.with_story())
        return self.get_paginated_response(WaiverOutput(page, many=True).data)


class WaiverCountsOutput(serializers.Serializer[Any]):
    active = serializers.IntegerField()
    ending_soon = serializers.IntegerField(help_text="Active, ending in 30 days.")
    to_report = serializers.IntegerField()
    overdue = serializers.IntegerField()


class WaiverCountsView(ApiView):
    serializer_class = WaiverCountsOutput

    @extend_schema(responses=WaiverCountsOutput)
    def get(self, request: ApiRequest) -> Response:
        """How many waivers are active, end soon, and are to be reported."""
        counts = waiver_counts(Waiver.objects.visible_to(request.user))
        return Response(WaiverCountsOutput(counts).data)


class GrantWaiverView(ApiView):
    serializer_class = WaiverOutput

    @extend_schema(request=WaiverInput, responses={201: WaiverOutput})
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Waive minimum practices of a high-impact use until a day."""
        visible = Project.objects.visible_to(request.user)
        project = get_object_or_404(visible, slug=slug)
        given = WaiverInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        password = said.pop("password")
        made = actions.grant_waiver(
            project=project,
            waiver=NewWaiver(**said),
            password=password,
            by=request.user,
        )
        location = reverse("v1:waiver", args=[made.pk])
        headers = {**seal_header(), "Location": location}
        return Response(WaiverOutput(made).data, status=201, headers=headers)


class WaiverBase(ApiView):
    serializer_class = WaiverOutput
    lookup_field = "pk"

    def get_queryset(self) -> Any:
        return Waiver.objects.visible_to(self.request.user).with_story()


class WaiverView(WaiverBase):
    @extend_schema(responses=WaiverOutput)
    def get(self, request: ApiRequest, pk: str) -> Response:
        """One waiver with its end, and what was reported of it."""
        return Response(WaiverOutput(self.get_object()).data)


class RevokeWaiverView(WaiverBase):
    @extend_schema(request=RejectInput, responses=WaiverOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """End a waiver; what rests on it serves no more."""
        found = self.get_object()
        given = RejectInput(data=request.data)
        given.is_valid(raise_exception=True)
        actions.revoke_waiver(
            waiver=found,
            reason=given.validated_data["comment"],
            password=given.validated_data["password"],
            by=request.user,
        )
        output = WaiverOutput(self.get_object()).data
        return Response(output, headers=seal_header())


class WaiverReportInput(serializers.Serializer[Any]):
    what = serializers.ChoiceField(choices=Reported.choices)
    reported_on = serializers.DateField()
    reference = serializers.CharField(max_length=200)


class ReportWaiverView(WaiverBase):
    @extend_schema(request=WaiverReportInput, responses=WaiverOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Record that granting or revoking a waiver was reported to OMB."""
        found = self.get_object()
        given = WaiverReportInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        what = Reported(said.pop("what"))
        actions.report_waiver(waiver=found, what=what, **said, by=request.user)
        return Response(WaiverOutput(self.get_object()).data)


class WaiverSummaryView(ApiView):
    @extend_schema(
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, "application/json"): OpenApiTypes.BINARY,
        }
    )
    def get(self, request: ApiRequest, ending: str) -> HttpResponse:
        """What the public reads of active waivers, as csv or json."""
        return summary_answer(Waiver.objects.visible_to(request.user), ending)


_VERSION = "projects/<slug:slug>/models/<str:name>/versions/<int:number>"
urlpatterns = [
    path(f"{_VERSION}/practices", PracticesView.as_view(), name="practices"),
    path(
        f"{_VERSION}/practice-statements",
        StatementsView.as_view(),
        name="practice_statements",
    ),
    path("waivers", WaiversView.as_view(), name="waivers"),
    path("waivers/counts", WaiverCountsView.as_view(), name="waiver_counts"),
    path(
        "waivers/public-summary.<slug:ending>",
        WaiverSummaryView.as_view(),
        name="waiver_summary",
    ),
    path("waivers/<uuid:pk>", WaiverView.as_view(), name="waiver"),
    path("waivers/<uuid:pk>/revoke", RevokeWaiverView.as_view(), name="revoke_waiver"),
    path("waivers/<uuid:pk>/report", ReportWaiverView.as_view(), name="report_waiver"),
    path(
        "projects/<slug:slug>/waivers", GrantWaiverView.as_view(), name="grant_waiver"
    ),
]
