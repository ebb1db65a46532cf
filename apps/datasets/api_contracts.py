from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets import actions, queries
from apps.datasets.contract_words import contract_words
from apps.datasets.models import ContractRevision, Dataset, DatasetVersion


class ContractInput(serializers.Serializer[Any]):
    content = serializers.JSONField(
        help_text="columns, rows, freshness, key, no_others; each expectation with "
        "severity block or warn."
    )
    note = serializers.CharField(max_length=300, required=False, allow_blank=True)

    def validate_content(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise serializers.ValidationError("Must be an object.")
        return value


class ContractRevisionOutput(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    content = serializers.JSONField()
    in_words = serializers.SerializerMethodField()
    note = serializers.CharField()
    saved_by = serializers.EmailField(source="saved_by.email")
    saved_at = serializers.DateTimeField()

    def get_in_words(self, revision: ContractRevision) -> dict[str, Any]:
        words = contract_words(revision.contract())
        return {"table": words["table"], "columns": dict(words["columns"])}


class ContractProposal(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    content = serializers.JSONField()


class OffendingRow(serializers.Serializer[Any]):
    row = serializers.IntegerField()
    value = serializers.CharField(allow_null=True)


class ExpectationResult(serializers.Serializer[Any]):
    columns = serializers.ListField(child=serializers.CharField())
    kind = serializers.CharField()
    severity = serializers.CharField()
    verdict = serializers.CharField()
    expected = serializers.CharField(default="")
    message = serializers.CharField()
    count = serializers.IntegerField(allow_null=True, default=None)
    rows = OffendingRow(many=True)


class ContractCheck(serializers.Serializer[Any]):
    revision = serializers.IntegerField(allow_null=True, default=None)
    verdict = serializers.CharField()
    checks = ExpectationResult(many=True)


class _ContractBase(ApiView):
    serializer_class: Any = ContractRevisionOutput

    def get_queryset(self) -> Any:
        visible = Dataset.objects.visible_to(self.request.user)
        return visible.select_related("project")


class ContractView(ETagMixin, _ContractBase):
    @extend_schema(responses=ContractRevisionOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """The data contract in force: what new versions are held to."""
        revision = queries.newest_revision(self.get_object())
        if revision is None:
            raise Http404
        return Response(ContractRevisionOutput(revision).data)

    @extend_schema(request=ContractInput, responses=ContractRevisionOutput)
    def put(self, request: ApiRequest, pk: UUID) -> Response:
        """Write the next revision of the data contract."""
        dataset = self.get_object()
        given = ContractInput(data=request.data)
        given.is_valid(raise_exception=True)
        revision = actions.save_contract(
            dataset=dataset,
            content=given.validated_data["content"],
            note=given.validated_data.get("note", ""),
            by=request.user,
        )
        return Response(ContractRevisionOutput(revision).data)


class ContractRevisionsView(_ContractBase):
    @extend_schema(responses=ContractRevisionOutput(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Every revision of the data contract, newest first."""
        revisions = self.get_object().contract_revisions.select_related("saved_by")
        page = self.paginate_queryset(revisions)
        return self.get_paginated_response(ContractRevisionOutput(page, many=True).data)


class ContractProposalView(_ContractBase):
    @extend_schema(responses=ContractProposal)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """A contract proposed from the newest version; nothing is saved."""
        version = queries.newest_ready(self.get_object())
        if version is None:
            raise Http404
        content = queries.propose_for(version).to_json()
        proposal = {"version": version.number, "content": content}
        return Response(ContractProposal(proposal).data)


class ContractCheckView(ApiView):
    serializer_class = ContractCheck

    @extend_schema(responses=ContractCheck)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """What came of holding a version against the contract of its day."""
        visible = DatasetVersion.objects.visible_to(request.user)
        found = queries.check_result(get_object_or_404(visible, pk=pk))
        if found is None:
            raise Http404
        return Response(ContractCheck(found).data)


urlpatterns = [
    path("datasets/<uuid:pk>/contract", ContractView.as_view(), name="contract"),
    path(
        "datasets/<uuid:pk>/contract/revisions",
        ContractRevisionsView.as_view(),
        name="contract_revisions",
    ),
    path(
        "datasets/<uuid:pk>/contract/proposal",
        ContractProposalView.as_view(),
        name="contract_proposal",
    ),
    path(
        "dataset-versions/<uuid:pk>/contract-check",
        ContractCheckView.as_view(),
        name="contract_check",
    ),
]
