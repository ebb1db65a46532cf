"""Approval policies over the REST API."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.approvals import actions, policy_book
from apps.approvals.models import PolicyVersion
from apps.approvals.policies import SHIPPED
from apps.approvals.rehearsal import rehearse
from apps.core.rest_views import ApiRequest, ApiView


class PolicyOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.IntegerField(source="policy.version")
    title = serializers.CharField(source="policy.title")
    text = serializers.CharField()
    is_shipped = serializers.SerializerMethodField(
        help_text="Whether it is the one that the portal comes with."
    )

    def get_is_shipped(self, found: policy_book.InForce) -> bool:
        return found.enactment is None


class PolicyVersionInput(serializers.Serializer[Any]):
    text = serializers.CharField(trim_whitespace=False, help_text="YAML.")
    note = serializers.CharField(help_text="What changed, and why.")


class PolicyVersionOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of the text in UTF-8.")
    note = serializers.CharField()
    written_by = serializers.CharField(source="written_by.full_name")
    written_at = serializers.DateTimeField()
    text = serializers.CharField()


class EnactInput(serializers.Serializer[Any]):
    reason = serializers.CharField()
    password = serializers.CharField(trim_whitespace=False)


class ReplayOutput(serializers.Serializer[Any]):
    request = serializers.UUIDField(source="approval.pk")
    version = serializers.CharField(source="approval.version")
    status = serializers.CharField(source="approval.status")
    differs = serializers.BooleanField()
    would_be_approved = serializers.BooleanField(source="would_be")
    outcome = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField())
    notes = serializers.ListField(child=serializers.CharField())


class RehearsalOutput(serializers.Serializer[Any]):
    differing = serializers.IntegerField(help_text="Of the results on this page.")
    results = ReplayOutput(many=True, source="replays")
    next_cursor = serializers.CharField(allow_null=True)


class PoliciesView(ApiView):
    serializer_class = PolicyOutput

    @extend_schema(responses=PolicyOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """The policies in force; one that cannot be read is left out."""
        readable = [one for one in policy_book.all_in_force() if one.is_readable]
        return Response(PolicyOutput(readable, many=True).data)


class PolicyVersionsView(ApiView):
    serializer_class = PolicyVersionOutput

    @extend_schema(responses=PolicyVersionOutput(many=True))
    def get(self, request: ApiRequest, name: str) -> Response:
        """What was written under a name, newest first."""
        page = self.paginate_queryset(policy_book.versions_of(_known(name)))
        return self.get_paginated_response(PolicyVersionOutput(page, many=True).data)

    @extend_schema(request=PolicyVersionInput, responses={201: PolicyVersionOutput})
    def post(self, request: ApiRequest, name: str) -> Response:
        """Keep a version; it applies to nothing until it is put in force."""
        given = PolicyVersionInput(data=request.data)
        given.is_valid(raise_exception=True)
        written = actions.write_policy(
            name=_known(name), **given.validated_data, by=request.user
        )
        return Response(PolicyVersionOutput(written).data, status=201)


class EnactPolicyView(ApiView):
    serializer_class = PolicyVersionOutput

    @extend_schema(request=EnactInput, responses=PolicyVersionOutput)
    def post(self, request: ApiRequest, name: str, number: int) -> Response:
        """Have requests judged by a version from now on."""
        given = EnactInput(data=request.data)
        given.is_valid(raise_exception=True)
        version = _version(request, name, number)
        actions.enact_policy(version=version, **given.validated_data, by=request.user)
        return Response(PolicyVersionOutput(version).data)


class RehearsalView(ApiView):
    serializer_class = RehearsalOutput

    @extend_schema(
        parameters=[OpenApiParameter("cursor", str)], responses=RehearsalOutput
    )
    def get(self, request: ApiRequest, name: str, number: int) -> Response:
        """How past requests would have gone under a version, newest first."""
        policy = policy_book.rehearsable(_version(request, name, number).text)
        after = request.query_params.get("cursor")
        found = rehearse(policy, viewer=request.user, after=after)
        return Response(RehearsalOutput(found).data)


def _known(name: str) -> str:
    if name not in SHIPPED:
        raise Http404
    return name


def _version(request: ApiRequest, name: str, number: int) -> PolicyVersion:
    visible = PolicyVersion.objects.visible_to(request.user)
    found = visible.select_related("written_by")
    return get_object_or_404(found, name=name, number=number)


urlpatterns = [
    path("approval-policies", PoliciesView.as_view(), name="policies"),
    path(
        "approval-policies/<slug:name>/versions",
        PolicyVersionsView.as_view(),
        name="policy_versions",
    ),
    path(
        "approval-policies/<slug:name>/versions/<int:number>/enact",
        EnactPolicyView.as_view(),
        name="enact_policy",
    ),
    path(
        "approval-policies/<slug:name>/versions/<int:number>/rehearsal",
        RehearsalView.as_view(),
        name="rehearse_policy",
    ),
]
