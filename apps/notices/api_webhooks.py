from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.rest_views import ApiRequest, ApiView
from apps.notices import actions
from apps.notices.models import (
    MAX_URL_CHARACTERS,
    Delivery,
    Webhook,
)
from apps.notices.queries import with_tries
from apps.projects.models import Project


class WebhookInput(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=MAX_URL_CHARACTERS)


class WebhookOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    host = serializers.CharField()
    added_at = serializers.DateTimeField()
    removed_at = serializers.DateTimeField(allow_null=True)


class AddedWebhookOutput(WebhookOutput):
    secret = serializers.CharField(help_text="Shown only now.")


class AttemptOutput(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    answer_status = serializers.IntegerField(allow_null=True)
    failure = serializers.CharField()
    took_milliseconds = serializers.IntegerField()


class _DeliveryFacts(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    event = serializers.CharField(source="kind")
    status = serializers.CharField()
    body = serializers.CharField()
    created_at = serializers.DateTimeField()
    next_at = serializers.DateTimeField()


class DeliveryOutput(_DeliveryFacts):
    tries = AttemptOutput(many=True, source="tries.all")


class WebhooksView(ApiView):
    serializer_class = WebhookOutput

    def _project(self, slug: str) -> Project:
        return get_object_or_404(
            Project.objects.visible_to(self.request.user), slug=slug
        )

    @extend_schema(responses=WebhookOutput(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Systems that are told about this project, newest first, removed ones too."""
        project = self._project(slug)
        found = Webhook.objects.visible_to(request.user).filter(project=project)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(WebhookOutput(page, many=True).data)

    @extend_schema(request=WebhookInput, responses={201: AddedWebhookOutput})
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Have a system told; the answer holds the secret, which is not shown again."""
        project = self._project(slug)
        given = WebhookInput(data=request.data)
        given.is_valid(raise_exception=True)
        added = actions.add_webhook(
            project=project, **given.validated_data, by=request.user
        )
        return Response(AddedWebhookOutput(added).data, status=201)


class RemoveWebhookView(ApiView):
    serializer_class = WebhookOutput

    @extend_schema(request=None, responses=WebhookOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Tell this system nothing more."""
        found = get_object_or_404(Webhook.objects.visible_to(request.user), pk=pk)
        removed = actions.remove_webhook(webhook=found, by=request.user)
        return Response(WebhookOutput(removed).data)


class DeliveriesView(ApiView):
    serializer_class = DeliveryOutput

    @extend_schema(responses=DeliveryOutput(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Messages to one webhook, newest first, each with its tries."""
        found = get_object_or_404(Webhook.objects.visible_to(request.user), pk=pk)
        sent = Delivery.objects.visible_to(request.user).filter(webhook=found)
        page = self.paginate_queryset(with_tries(sent))
        return self.get_paginated_response(DeliveryOutput(page, many=True).data)


class ResendDeliveryView(ApiView):
    serializer_class = DeliveryOutput

    @extend_schema(request=None, responses=DeliveryOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Have a message sent once more."""
        found = get_object_or_404(Delivery.objects.visible_to(request.user), pk=pk)
        sent = actions.resend_delivery(delivery=found, by=request.user)
        return Response(DeliveryOutput(sent).data)


urlpatterns = [
    path("projects/<slug:slug>/webhooks", WebhooksView.as_view(), name="webhooks"),
    path(
        "webhooks/<uuid:pk>/remove", RemoveWebhookView.as_view(), name="remove_webhook"
    ),
    path("webhooks/<uuid:pk>/deliveries", DeliveriesView.as_view(), name="deliveries"),
    path(
        "webhook-deliveries/<uuid:pk>/resend",
        ResendDeliveryView.as_view(),
        name="resend_delivery",
    ),
]
