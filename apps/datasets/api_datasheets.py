from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.accounts.models import User
from apps.core.errors import Invalid
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets import actions, queries, rules
from apps.datasets.models import (
    Dataset,
    DatasetVersion,
    HintDecision,
    PersonalDataHint,
)
from apps.datasets.sensitivity import Sensitivity


class DatasheetInput(serializers.Serializer[Any]):
    steward = serializers.EmailField(allow_null=True, default=None)
    sensitivity = serializers.ChoiceField(
        choices=Sensitivity.choices, allow_blank=True, default=""
    )
    answers = serializers.DictField(
        child=serializers.CharField(
            allow_blank=True, max_length=actions.LONGEST_ANSWER
        ),
        default=dict,
    )


class DatasheetQuestion(serializers.Serializer[Any]):
    slug = serializers.CharField()
    title = serializers.CharField()


class DatasheetCompleteness(serializers.Serializer[Any]):
    impact = serializers.CharField(source="dataset.project.impact")
    required_questions = DatasheetQuestion(source="required", many=True)
    missing_questions = DatasheetQuestion(source="missing", many=True)
    ratio = serializers.FloatField()
    undecided_hints = serializers.IntegerField(source="undecided")
    confirmed_hints = serializers.IntegerField(source="confirmed")
    warning = serializers.CharField()


class DatasheetRevision(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    definition_version = serializers.IntegerField()
    steward = serializers.EmailField(source="steward.email", default=None)
    sensitivity = serializers.CharField()
    answers = serializers.DictField(child=serializers.CharField())
    changed = serializers.ListField(child=serializers.CharField())
    written_by = serializers.EmailField(source="written_by.email")
    written_at = serializers.DateTimeField()


class DatasheetOutput(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField(source="dataset.pk")
    dataset = serializers.CharField()
    is_restricted = serializers.BooleanField(source="dataset.is_restricted")
    revision = DatasheetRevision(source="datasheet", allow_null=True)
    completeness = DatasheetCompleteness(source="*")


class HintOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    version_id = serializers.UUIDField()
    column = serializers.CharField()
    kind = serializers.CharField()
    matches = serializers.IntegerField()
    share = serializers.FloatField()
    example_masked = serializers.CharField()
    decision = serializers.CharField()
    reason = serializers.CharField()
    decided_by = serializers.EmailField(source="decided_by.email", default=None)
    decided_at = serializers.DateTimeField(allow_null=True)


class HintDecisionInput(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(
        choices=[HintDecision.CONFIRMED, HintDecision.DISMISSED]
    )
    reason = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=actions.LONGEST_ANSWER,
    )


class _DatasetBase(ApiView):
    serializer_class: Any = DatasheetOutput

    def get_queryset(self) -> Any:
        return Dataset.objects.visible_to(self.request.user).select_related("project")


class DatasheetView(ETagMixin, _DatasetBase):
    @extend_schema(responses=DatasheetOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """The newest datasheet of a dataset and how complete it is."""
        return self._answer(self.get_object())

    @extend_schema(request=DatasheetInput, responses=DatasheetOutput)
    def put(self, request: ApiRequest, pk: UUID) -> Response:
        """State the whole datasheet anew; what is left out is not stated."""
        dataset = self.get_object()
        ensure(rules.can_write_datasheet(request.user, dataset))
        given = DatasheetInput(data=request.data)
        given.is_valid(raise_exception=True)
        email = given.validated_data["steward"]
        values = actions.DatasheetValues(
            steward=_steward(dataset, email) if email else None,
            sensitivity=given.validated_data["sensitivity"],
            answers=given.validated_data["answers"],
        )
        actions.write_datasheet(dataset=dataset, values=values, by=request.user)
        return self._answer(self.get_object())

    def _answer(self, dataset: Dataset) -> Response:
        return Response(DatasheetOutput(queries.datasheet_standing(dataset)).data)


def _steward(dataset: Dataset, email: str) -> User:
    for person in queries.possible_stewards(dataset):
        if person.email.lower() == email.lower():
            return person
    sentence = "Choose a member of this project."
    raise Invalid(sentence, fields={"steward": sentence})


class DatasheetRevisionsView(_DatasetBase):
    serializer_class: Any = DatasheetRevision

    @extend_schema(responses=DatasheetRevision(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Every revision of a datasheet, newest first."""
        revisions = self.get_object().datasheets.select_related("steward", "written_by")
        page = self.paginate_queryset(revisions)
        return self.get_paginated_response(DatasheetRevision(page, many=True).data)


class HintsView(ApiView):
    serializer_class: Any = HintOutput

    def get_queryset(self) -> Any:
        return DatasetVersion.objects.visible_to(self.request.user)

    @extend_schema(responses=HintOutput(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Hints at personal data in a version, and what the steward said of them."""
        page = self.paginate_queryset(queries.hints_of(self.get_object()))
        return self.get_paginated_response(HintOutput(page, many=True).data)


class DecideHintView(ApiView):
    serializer_class: Any = HintOutput

    def get_queryset(self) -> Any:
        visible = PersonalDataHint.objects.visible_to(self.request.user)
        return visible.select_related("version__dataset__project", "decided_by")

    @extend_schema(request=HintDecisionInput, responses=HintOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Say, as the steward, whether a column holds personal data."""
        hint = self.get_object()
        ensure(rules.can_decide_hint(request.user, hint.version.dataset))
        given = HintDecisionInput(data=request.data)
        given.is_valid(raise_exception=True)
        hint = actions.decide_hint(hint=hint, **given.validated_data, by=request.user)
        return Response(HintOutput(hint).data)


urlpatterns = [
    path("datasets/<uuid:pk>/datasheet", DatasheetView.as_view(), name="datasheet"),
    path(
        "datasets/<uuid:pk>/datasheet/revisions",
        DatasheetRevisionsView.as_view(),
        name="datasheet_revisions",
    ),
    path("dataset-versions/<uuid:pk>/hints", HintsView.as_view(), name="dataset_hints"),
    path(
        "dataset-hints/<uuid:pk>/decide", DecideHintView.as_view(), name="decide_hint"
    ),
]
