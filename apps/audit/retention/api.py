from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.audit.retention import actions, queries, rules
from apps.audit.retention.actions import MAX_REASON_CHARACTERS
from apps.audit.retention.models import HoldKind, LegalHold, PruneRequest, Segment
from apps.core.http import send_blob
from apps.core.rest_views import ApiRequest, ApiView


class ReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=MAX_REASON_CHARACTERS)


class PruneRequestOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    segment = serializers.IntegerField(source="segment_id")
    reason = serializers.CharField()
    status = serializers.CharField()
    requested_by_id = serializers.UUIDField()
    requested_at = serializers.DateTimeField()
    decided_by_id = serializers.UUIDField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)


class SegmentOutput(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    first_leaf = serializers.IntegerField()
    last_leaf = serializers.IntegerField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    archive_sha256 = serializers.CharField(source="segment.archive_sha256")
    archive_bytes = serializers.IntegerField(source="segment.archive_bytes")
    archived_at = serializers.DateTimeField(source="segment.archived_at")
    state = serializers.CharField()
    obstacle = serializers.CharField(
        help_text="What keeps it from being removed; empty when nothing does."
    )
    prune_requests = PruneRequestOutput(many=True, source="segment.prune_requests.all")


class HoldInput(ReasonInput):
    kind = serializers.ChoiceField(choices=HoldKind.choices)
    subject_id = serializers.UUIDField(
        default=None, allow_null=True, help_text="Of the project or the account."
    )
    object_id = serializers.CharField(max_length=64, default="", allow_blank=True)


class HoldOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    subject_id = serializers.UUIDField(allow_null=True)
    object_id = serializers.CharField()
    reason = serializers.CharField()
    placed_by_id = serializers.UUIDField()
    placed_at = serializers.DateTimeField()
    lifted_by_id = serializers.UUIDField(allow_null=True)
    lifted_at = serializers.DateTimeField(allow_null=True)


class _SegmentBase(ApiView):
    serializer_class = SegmentOutput

    def get_queryset(self) -> Any:
        visible = Segment.objects.visible_to(self.request.user)
        return visible.prefetch_related("prune_requests")

    def segment(self, number: int) -> Segment:
        found: Segment = get_object_or_404(self.get_queryset(), pk=number)
        return found


class SegmentsView(_SegmentBase):
    @extend_schema(responses=SegmentOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """Archived segments of the trail, newest first."""
        ensure(rules.can_see_retention(request.user))
        page = self.paginate_queryset(self.get_queryset())
        lines = queries.lines(page or [])
        return self.get_paginated_response(SegmentOutput(lines, many=True).data)


class SegmentView(_SegmentBase):
    @extend_schema(responses=SegmentOutput)
    def get(self, request: ApiRequest, number: int) -> Response:
        """One archived segment, and what keeps it."""
        return Response(SegmentOutput(queries.line_of(self.segment(number))).data)


class ArchiveView(_SegmentBase):
    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: ApiRequest, number: int) -> HttpResponseBase:
        """The archive of a segment; taking it is an event."""
        found = self.segment(number)
        digest = actions.download_archive(segment=found, by=request.user)
        return send_blob(
            digest, name=f"audit-archive-{number}.zip", media_type="application/zip"
        )


class RequestPruneView(_SegmentBase):
    @extend_schema(request=ReasonInput, responses={201: PruneRequestOutput})
    def post(self, request: ApiRequest, number: int) -> Response:
        """Ask that the events of a segment be removed."""
        found = self.segment(number)
        given = ReasonInput(data=request.data)
        given.is_valid(raise_exception=True)
        prune = actions.request_prune(
            segment=found, **given.validated_data, by=request.user
        )
        return Response(PruneRequestOutput(prune).data, status=201)


class _PruneBase(ApiView):
    serializer_class = PruneRequestOutput

    def get_queryset(self) -> Any:
        return PruneRequest.objects.visible_to(self.request.user)


class ApprovePruneView(_PruneBase):
    @extend_schema(request=None, responses=PruneRequestOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Agree to a removal that somebody else asked for."""
        prune = actions.approve_prune(prune=self.get_object(), by=request.user)
        return Response(PruneRequestOutput(prune).data)


class WithdrawPruneView(_PruneBase):
    @extend_schema(request=ReasonInput, responses=PruneRequestOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Stop a removal before it is carried out."""
        prune = self.get_object()
        given = ReasonInput(data=request.data)
        given.is_valid(raise_exception=True)
        prune = actions.withdraw_prune(
            prune=prune, **given.validated_data, by=request.user
        )
        return Response(PruneRequestOutput(prune).data)


class HoldsView(ApiView):
    serializer_class = HoldOutput

    def get_queryset(self) -> Any:
        return LegalHold.objects.visible_to(self.request.user)

    @extend_schema(responses=HoldOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """Legal holds, newest first."""
        ensure(rules.can_see_retention(request.user))
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(HoldOutput(page, many=True).data)

    @extend_schema(request=HoldInput, responses={201: HoldOutput})
    def post(self, request: ApiRequest) -> Response:
        """Keep everything about something from being removed or erased."""
        given = HoldInput(data=request.data)
        given.is_valid(raise_exception=True)
        hold = actions.place_hold(**given.validated_data, by=request.user)
        return Response(HoldOutput(hold).data, status=201)


class LiftHoldView(ApiView):
    serializer_class = HoldOutput

    def get_queryset(self) -> Any:
        return LegalHold.objects.visible_to(self.request.user)

    @extend_schema(request=ReasonInput, responses=HoldOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """End a hold."""
        hold = self.get_object()
        given = ReasonInput(data=request.data)
        given.is_valid(raise_exception=True)
        hold = actions.lift_hold(hold=hold, **given.validated_data, by=request.user)
        return Response(HoldOutput(hold).data)


urlpatterns = [
    path("audit/segments", SegmentsView.as_view(), name="segments"),
    path("audit/segments/<int:number>", SegmentView.as_view(), name="segment"),
    path(
        "audit/segments/<int:number>/archive",
        ArchiveView.as_view(),
        name="download_archive",
    ),
    path(
        "audit/segments/<int:number>/request-prune",
        RequestPruneView.as_view(),
        name="request_prune",
    ),
    path(
        "audit/prune-requests/<uuid:pk>/approve",
        ApprovePruneView.as_view(),
        name="approve_prune",
    ),
    path(
        "audit/prune-requests/<uuid:pk>/withdraw",
        WithdrawPruneView.as_view(),
        name="withdraw_prune",
    ),
    path("audit/holds", HoldsView.as_view(), name="holds"),
    path("audit/holds/<uuid:pk>/lift", LiftHoldView.as_view(), name="lift_hold"),
]
