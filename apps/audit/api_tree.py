"""The tree over REST: C2SP tiles, proofs in base64, and the proof of one event.

Checkpoints, tiles and proofs hold hashes only, which tell nothing: whoever is signed in
may read them, and what compares them with kept copies needs no further right.
"""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.audit import actions, proofs, rules
from apps.audit.models import AuditEvent
from apps.audit.transparency.checkpoint import MAX_SIZE
from apps.audit.transparency.tiles import parse_tile_path
from apps.core.rest_views import ApiRequest, ApiView

MAX_LEVEL = 63
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
BYTES = {(200, "application/octet-stream"): OpenApiTypes.BINARY}
TILE_PATH = OpenApiParameter(
    "tile",
    str,
    OpenApiParameter.PATH,
    description="Index and width as C2SP tlog-tiles writes them: x001/234.p/5.",
)


def _place(tile: str) -> tuple[int, int]:
    try:
        return parse_tile_path(tile)
    except ValueError as error:
        raise NotFound(str(error)) from error


def _tile(content: bytes | None) -> HttpResponse:
    if content is None:
        raise NotFound("The sealed tree is not so large.")
    return HttpResponse(
        content, content_type="application/octet-stream", headers=FOR_EVER
    )


class TileView(ApiView):
    @extend_schema(parameters=[TILE_PATH], responses=BYTES)
    def get(self, request: ApiRequest, level: int, tile: str) -> HttpResponse:
        """Hashes of the tree (C2SP tlog-tiles)."""
        index, width = _place(tile)
        if level > MAX_LEVEL:
            raise NotFound("The sealed tree is not so large.")
        found = proofs.tile_of_hashes(level=level, index=index, width=width)
        return _tile(found)


class EntriesView(ApiView):
    @extend_schema(parameters=[TILE_PATH], responses=BYTES)
    def get(self, request: ApiRequest, tile: str) -> HttpResponse:
        """The events of a tile, each behind its length (C2SP tlog-tiles)."""
        ensure(rules.can_export_audit_bundle(request.user))
        index, width = _place(tile)
        found = _tile(proofs.tile_of_entries(index=index, width=width))
        actions.record_view(what={"entries": tile}, by=request.user)
        return found


class ConsistencyInput(serializers.Serializer[Any]):
    old = serializers.IntegerField(min_value=0, max_value=MAX_SIZE)
    new = serializers.IntegerField(min_value=0, max_value=MAX_SIZE)


class ConsistencyView(ApiView):
    @extend_schema(
        parameters=[ConsistencyInput],
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """Prove that the tree of one size continues that of another (RFC 6962).

        One hash a line, as `auditverify.py consistency --proof` reads them.
        """
        given = ConsistencyInput(data=request.query_params)
        given.is_valid(raise_exception=True)
        hashes = proofs.consistency(**given.validated_data)
        lines = "".join(f"{one}\n" for one in hashes)
        return HttpResponse(lines, content_type="text/plain; charset=utf-8")


class InclusionInput(serializers.Serializer[Any]):
    leaf = serializers.IntegerField(min_value=0, max_value=MAX_SIZE, required=False)
    event = serializers.UUIDField(required=False)
    size = serializers.IntegerField(min_value=1, max_value=MAX_SIZE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("leaf" in attrs) == ("event" in attrs):
            raise serializers.ValidationError({"leaf": ["Give either leaf or event."]})
        return attrs


class InclusionOutput(serializers.Serializer[Any]):
    leaf = serializers.IntegerField()
    size = serializers.IntegerField()
    proof = serializers.ListField(child=serializers.CharField())


class InclusionView(ApiView):
    @extend_schema(parameters=[InclusionInput], responses=InclusionOutput)
    def get(self, request: ApiRequest) -> Response:
        """Prove that a leaf, or an event that I may read, is in a tree (RFC 6962)."""
        given = InclusionInput(data=request.query_params)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        leaf, size = values.get("leaf"), values["size"]
        if leaf is None:
            leaf = proofs.leaf_index_of(_event(request, values["event"]))
        proof = proofs.inclusion(index=leaf, size=size)
        return Response({"leaf": leaf, "size": size, "proof": proof})


class EventProofView(ApiView):
    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: ApiRequest, event_id: UUID) -> HttpResponse:
        """Download one event with its proof; `auditverify.py` verifies it offline."""
        event = _event(request, event_id)
        content = actions.prove_event(event=event, by=request.user)
        return HttpResponse(content, content_type="application/zip")


def _event(request: ApiRequest, event_id: UUID) -> AuditEvent:
    visible = AuditEvent.objects.visible_to(request.user)
    found: AuditEvent = get_object_or_404(visible, event_id=event_id)
    return found


urlpatterns = [
    path("audit/consistency", ConsistencyView.as_view(), name="audit_consistency"),
    path("audit/inclusion", InclusionView.as_view(), name="audit_inclusion"),
    path(
        "audit/events/<uuid:event_id>/proof",
        EventProofView.as_view(),
        name="audit_event_proof",
    ),
    path("audit/tile/entries/<path:tile>", EntriesView.as_view(), name="audit_entries"),
    path("audit/tile/<int:level>/<path:tile>", TileView.as_view(), name="audit_tile"),
]
