from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.errors import Invalid
from apps.core.rest import with_etag
from apps.core.rest_views import ApiRequest
from apps.datasets.models import Dataset, DatasetVersion
from apps.experiments.models import Run
from apps.home import cards
from apps.home.inbox import count_of_news, decided, inbox
from apps.home.lineage import COLUMNS, limit_in, lineage
from apps.registry.models import ModelVersion
from apps.registry.queries import with_card_parts
from apps.training.models import TrainingJob
from apps.validation.models import FindingState, Severity


class InboxRequestOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    version = serializers.CharField()
    status = serializers.CharField()
    stage = serializers.CharField(source="stage_title", default="")
    requested_by = serializers.CharField(source="requested_by.full_name")
    requested_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class FailureOutput(serializers.Serializer[Any]):
    kind = serializers.CharField()
    title = serializers.CharField()
    url = serializers.CharField()
    message = serializers.CharField()
    at = serializers.DateTimeField()


class OwnedConditionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    text = serializers.CharField()
    due_on = serializers.DateField()
    version = serializers.CharField(source="approval.version")
    url = serializers.CharField(source="get_absolute_url")


class WaitingFindingOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    version = serializers.CharField()
    title = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    state = serializers.ChoiceField(choices=FindingState.choices)
    due_on = serializers.DateField(allow_null=True)
    url = serializers.CharField(source="get_absolute_url")


class InboxOutput(serializers.Serializer[Any]):
    to_sign = InboxRequestOutput(many=True)
    conditions = OwnedConditionOutput(many=True)
    findings = WaitingFindingOutput(
        many=True, help_text="Open ones that I own, answered ones that I can close."
    )
    unread = serializers.IntegerField(help_text="Notices not read yet, up to 100.")
    decided = InboxRequestOutput(many=True)
    failures = FailureOutput(many=True)


class InboxView(APIView):
    @extend_schema(responses=InboxOutput)
    def get(self, request: ApiRequest) -> Response:
        """What waits for me now, and recent decisions and failures of mine."""
        user = request.user
        found = {
            **vars(inbox(user)),
            "decided": decided(user),
            "unread": count_of_news(user),
        }
        return Response(InboxOutput(found).data)


def _json(card: dict[str, Any]) -> HttpResponse:
    return HttpResponse(cards.card_json(card), content_type="application/json")


def _markdown(card: dict[str, Any]) -> HttpResponse:
    text = cards.card_markdown(card)
    return HttpResponse(text, content_type="text/markdown; charset=utf-8")


def _html(card: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(cards.card_document(card))
    response["Content-Security-Policy"] = cards.CONTENT_SECURITY_POLICY
    return response


FORMATS = {"json": _json, "md": _markdown, "html": _html}


class CardView(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("format", enum=list(FORMATS), default="json")],
        responses={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/markdown"): OpenApiTypes.STR,
            (200, "text/html"): OpenApiTypes.STR,
        },
    )
    def get(
        self, request: ApiRequest, slug: str, name: str, number: int
    ) -> HttpResponse:
        """The model card, computed from the record; answers 304 while unchanged."""
        version = get_object_or_404(
            with_card_parts(ModelVersion.objects.visible_to(request.user)),
            model__project__slug=slug,
            model__name=name,
            number=number,
        )
        wanted = request.query_params.get("format", "json")
        if wanted not in FORMATS:
            raise Invalid(
                f"A card comes as {', '.join(FORMATS)}.",
                fields={"format": "Unknown format."},
            )
        response = FORMATS[wanted](cards.model_card(version))
        response["Cache-Control"] = "private, no-cache"
        return with_etag(request._request, response)


class LineageNode(serializers.Serializer[Any]):
    key = serializers.CharField()
    kind = serializers.ChoiceField(choices=list(COLUMNS))
    id = serializers.UUIDField(source="pk", allow_null=True)
    title = serializers.CharField()
    detail = serializers.CharField()
    url = serializers.CharField(allow_null=True)
    is_start = serializers.BooleanField()


class LineageEdge(serializers.Serializer[Any]):
    before = serializers.CharField()
    after = serializers.CharField()


class LineageOutput(serializers.Serializer[Any]):
    nodes = LineageNode(many=True)
    edges = LineageEdge(many=True)
    cut = serializers.ListField(child=serializers.CharField())


_STARTS: dict[str, Any] = {
    "dataset": Dataset,
    "dataset_version": DatasetVersion,
    "training_job": TrainingJob,
    "run": Run,
    "model_version": ModelVersion,
}


class LineageView(APIView):
    @extend_schema(
        parameters=[
            *(OpenApiParameter(start, OpenApiTypes.UUID) for start in _STARTS),
            OpenApiParameter("limit", OpenApiTypes.INT),
        ],
        responses=LineageOutput,
    )
    def get(self, request: ApiRequest) -> Response:
        """What one thing came from and what came of it, as nodes and edges.

        Name one start by its id. Things that you cannot see have no id and no name;
        `cut` names the columns of which only the newest are here.
        """
        start, pk = _start_in(request)
        visible = _STARTS[start].objects.visible_to(request.user)
        found = get_object_or_404(visible, pk=pk)
        limit = limit_in(request.query_params.get("limit"))
        graph = lineage(start, found.pk, user=request.user, limit=limit)
        return Response(LineageOutput(graph).data)


def _start_in(request: ApiRequest) -> tuple[str, UUID]:
    given = [start for start in _STARTS if request.query_params.get(start)]
    if len(given) != 1:
        raise Invalid(f"Give one of {', '.join(_STARTS)} in the query.")
    try:
        return given[0], UUID(request.query_params[given[0]])
    except ValueError as error:
        sentence = f"{given[0]} must be an id."
        raise Invalid(sentence, fields={given[0]: sentence}) from error


urlpatterns = [
    path("lineage", LineageView.as_view(), name="lineage"),
    path("inbox", InboxView.as_view(), name="inbox"),
    path(
        "projects/<slug:slug>/models/<str:name>/versions/<int:number>/card",
        CardView.as_view(),
        name="card",
    ),
]
