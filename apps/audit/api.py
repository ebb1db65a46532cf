from typing import Any

from django.http import (
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from apps.audit import actions, queries
from apps.audit.api_tree import urlpatterns as tree
from apps.audit.body import MAX_INTEGER
from apps.audit.models import AuditEvent
from apps.audit.queries import AuditFilter
from apps.audit.renderings import RENDERINGS, line_of
from apps.audit.retention.api import urlpatterns as retention
from apps.audit.status import trail_status
from apps.core.rest_views import ApiRequest, ApiView

FILTERS = [OpenApiParameter(name, str) for name in AuditFilter.__dataclass_fields__]
CONTENT_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


class AuditEventOutput(serializers.Serializer[Any]):
    event_id = serializers.UUIDField()
    at = serializers.DateTimeField()
    type = serializers.CharField()
    outcome = serializers.CharField()
    actor_id = serializers.UUIDField()
    actor_label = serializers.CharField()
    actor_kind = serializers.CharField()
    actor_roles = serializers.ListField(child=serializers.CharField())
    target_type = serializers.CharField()
    target_id = serializers.CharField()
    target_label = serializers.CharField()
    project_id = serializers.UUIDField(allow_null=True)
    project_label = serializers.CharField()
    changes = serializers.JSONField()
    reason = serializers.CharField()
    channel = serializers.CharField()
    request_id = serializers.CharField()


class AuditEventsView(ApiView):
    serializer_class = AuditEventOutput
    page_key = "event_id"

    def get_queryset(self) -> Any:
        wanted = AuditFilter.from_query(self.request.query_params.dict())
        visible = AuditEvent.objects.visible_to(self.request.user)
        return queries.matching(visible, wanted)

    @extend_schema(parameters=FILTERS, responses=AuditEventOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """Audit events that I may read, newest first."""
        page = queries.with_names(self.paginate_queryset(self.get_queryset()) or [])
        wanted = AuditFilter.from_query(request.query_params.dict())
        actions.record_view(what=wanted.recorded, by=request.user)
        return self.get_paginated_response([queries.event_record(e) for e in page])


class StreamInput(serializers.Serializer[Any]):
    after = serializers.IntegerField(
        min_value=-1,
        max_value=MAX_INTEGER,
        default=-1,
        help_text="The last leaf index that was read; -1 begins with the first.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=500)
    format = serializers.ChoiceField(list(RENDERINGS), default="plain")


class AuditStreamView(ApiView):
    @extend_schema(
        parameters=[StreamInput],
        responses={
            (200, "application/x-ndjson"): OpenApiResponse(
                OpenApiTypes.STR,
                "One event a line, in the order of the tree; fewer than `limit` where "
                "events are large. The header X-Next-After has the next `after`.",
            )
        },
    )
    def get(self, request: ApiRequest) -> HttpResponseBase:
        """Pull the sealed trail, oldest event first, from where I left it."""
        given = StreamInput(data=request.query_params)
        given.is_valid(raise_exception=True)
        after, rendering = given.validated_data["after"], given.validated_data["format"]
        entries = actions.stream_audit_trail(
            first_index=after + 1,
            limit=given.validated_data["limit"],
            rendering=rendering,
            by=request.user,
        )
        return StreamingHttpResponse(
            (line_of(entry, rendering) for entry in entries),
            content_type=CONTENT_TYPES["jsonl"],
            headers={
                "X-Next-After": str(entries[-1].leaf_index if entries else after),
                "Cache-Control": "no-store",
            },
        )


class AuditCheckpointView(ApiView):
    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: ApiRequest) -> HttpResponseBase:
        """Return the newest signed checkpoint; keep copies outside the portal."""
        note = trail_status().checkpoint
        if not note:
            raise NotFound("Nothing is sealed yet.")
        return HttpResponse(note, content_type="text/plain; charset=utf-8")


urlpatterns = [
    *tree,
    path("audit/checkpoint", AuditCheckpointView.as_view(), name="audit_checkpoint"),
    path("audit/events", AuditEventsView.as_view(), name="audit_events"),
    *retention,
    path("audit/stream", AuditStreamView.as_view(), name="audit_stream"),
]
