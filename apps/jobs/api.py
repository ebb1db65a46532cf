"""The health of workers and queues, for programs that watch over the portal."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.core.rest_views import ApiRequest, ApiView
from apps.jobs import queries, rules
from apps.jobs.models import Worker


class WorkerOutput(serializers.Serializer[Worker]):
    name = serializers.CharField()
    queues = serializers.ListField(child=serializers.CharField())
    concurrency = serializers.IntegerField()
    sandbox = serializers.CharField()
    shortcomings = serializers.ListField(child=serializers.CharField())
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    is_alive = serializers.BooleanField()


class QueueOutput(serializers.Serializer[queries.QueueHealth]):
    name = serializers.CharField()
    workers = serializers.IntegerField()
    seen_at = serializers.DateTimeField(allow_null=True)
    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    oldest_at = serializers.DateTimeField(allow_null=True)


class HealthOutput(serializers.Serializer[dict[str, Any]]):
    workers = WorkerOutput(many=True)
    queues = QueueOutput(many=True)


class HealthView(ApiView):
    @extend_schema(responses=HealthOutput)
    def get(self, request: ApiRequest) -> Response:
        """Workers with how they keep jobs apart, and queues with what waits."""
        ensure(rules.can_read_health(request.user))
        workers = Worker.objects.visible_to(request.user).order_by("name")
        body: dict[str, Any] = {"workers": workers, "queues": queries.queues(workers)}
        return Response(HealthOutput(body).data)


urlpatterns = [path("health/", HealthView.as_view(), name="health")]
