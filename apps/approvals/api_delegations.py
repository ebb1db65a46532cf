"""Delegations over the REST API."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.approvals import actions
from apps.approvals.models import Delegation
from apps.core.rest_views import ApiRequest, ApiView
from apps.projects.models import Project
from apps.projects.queries import person_by_email


class DelegationInput(serializers.Serializer[Any]):
    receiver = serializers.EmailField(help_text="E-mail address of a member.")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The last day; at most 90 from today.")


class DelegationOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    giver = serializers.CharField(source="giver.full_name")
    receiver = serializers.CharField(source="receiver.full_name")
    role = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    given_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    standing = serializers.CharField(
        help_text="One of: to come, in force, over, revoked."
    )


class DelegationsView(ApiView):
    serializer_class = DelegationOutput

    @extend_schema(responses=DelegationOutput(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Who signs in whose place in a project, newest first."""
        project = self._project(slug)
        visible = Delegation.objects.visible_to(request.user).filter(project=project)
        page = self.paginate_queryset(visible.select_related("giver", "receiver"))
        return self.get_paginated_response(DelegationOutput(page, many=True).data)

    @extend_schema(request=DelegationInput, responses={201: DelegationOutput})
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Let another member sign in my place, in my role, for some days."""
        project = self._project(slug)
        given = DelegationInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        receiver = person_by_email(said.pop("receiver"))
        made = actions.delegate_signing(
            project=project, receiver=receiver, **said, by=request.user
        )
        return Response(DelegationOutput(made).data, status=201)

    def _project(self, slug: str) -> Project:
        visible = Project.objects.visible_to(self.request.user)
        return get_object_or_404(visible, slug=slug)


class RevokeDelegationView(ApiView):
    serializer_class = DelegationOutput

    @extend_schema(request=None, responses=DelegationOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """End a delegation; what was signed by it stays signed."""
        found = get_object_or_404(Delegation.objects.visible_to(request.user), pk=pk)
        ended = actions.revoke_delegation(delegation=found, by=request.user)
        return Response(DelegationOutput(ended).data)


urlpatterns = [
    path(
        "projects/<slug:slug>/delegations",
        DelegationsView.as_view(),
        name="delegations",
    ),
    path(
        "delegations/<uuid:pk>/revoke",
        RevokeDelegationView.as_view(),
        name="revoke_delegation",
    ),
]
