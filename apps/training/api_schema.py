"""The REST API of the training spec: its published JSON Schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from engine.spec import training_schema


class _SchemaRenderer(JSONRenderer):
    media_type = "application/schema+json"


class TrainingSpecSchemaView(ETagMixin, ApiView):
    renderer_classes = [JSONRenderer, _SchemaRenderer]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest) -> Response:
        """The training spec as JSON Schema 2020-12."""
        schema: dict[str, Any] = training_schema()
        return Response(schema)
