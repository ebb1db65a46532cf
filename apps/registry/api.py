from pathlib import PurePosixPath
from typing import Any

from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.http import send_blob
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.experiments.models import Run
from apps.projects.api_access import GrantBase, GrantsBase, OpenBase, RestrictBase
from apps.projects.models import Project
from apps.registry import actions, queries
from apps.registry.models import CARD_SECTIONS, ModelVersion, RegisteredModel, Stage


class ChampionOutput(serializers.Serializer[Any]):
    number = serializers.IntegerField(source="version.number")
    moved_at = serializers.DateTimeField()


class AliasOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    number = serializers.IntegerField(source="version.number")


class TagOutput(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = serializers.CharField()


class ModelOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    project = serializers.CharField(source="project.slug")
    name = serializers.CharField()
    description = serializers.CharField()
    is_restricted = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    champion = serializers.SerializerMethodField()
    aliases = AliasOutput(many=True, source="aliases.all")
    tags = TagOutput(many=True, source="tags.all")

    @extend_schema_field(ChampionOutput(allow_null=True))
    def get_champion(self, model: RegisteredModel) -> Any:
        aliases = model.champion_aliases  # type: ignore[attr-defined]  # prefetched
        return ChampionOutput(aliases[0]).data if aliases else None


class ManifestEntry(serializers.Serializer[Any]):
    path = serializers.CharField()
    sha256 = serializers.CharField()
    size_bytes = serializers.IntegerField()
    media_type = serializers.CharField()


class ModelVersionRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    state = serializers.CharField()
    run = serializers.UUIDField(source="run_id", allow_null=True)
    logged_model = serializers.UUIDField(source="logged_model_id", allow_null=True)
    description = serializers.CharField()
    stage = serializers.ChoiceField(Stage.choices, help_text="In MLflow's words.")
    quarantine = serializers.CharField(
        help_text="Why the portal never loads it; empty when it may."
    )
    unfit_reason = serializers.CharField(
        help_text="Why the portal cannot evaluate it; empty when it can."
    )
    manifest_digest = serializers.CharField()
    registered_by = serializers.CharField(source="registered_by.full_name")
    created_at = serializers.DateTimeField()
    regenerated = serializers.CharField(
        default=None,
        allow_null=True,
        help_text="What the newest regeneration said: identical, within_tolerance, "
        "different, data_damaged or data_missing; null before there is one.",
    )


class ModelVersionOutput(ModelVersionRow):
    manifest = ManifestEntry(many=True)
    signature = serializers.DictField()
    as_the_source_says = serializers.DictField(
        source="imported.said",
        default=None,
        allow_null=True,
        help_text="Of a version that came over from elsewhere: its number, source, "
        "run, time, user, stage and aliases there; nobody here vouches for them.",
    )


class ModelVersionInput(serializers.Serializer[Any]):
    run_id = serializers.UUIDField()
    part = serializers.CharField(
        max_length=500,
        required=False,
        default="",
        help_text="Which model of the run: `run` for all its files, the path of a "
        "folder with an MLmodel, or the id of a logged model. Without it, the first of "
        "these that there is.",
    )
    description = serializers.CharField(
        max_length=4000, required=False, allow_blank=True, default=""
    )


class CardSections(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        text: Any = {"max_length": 20_000, "allow_blank": True, "required": False}
        return {name: serializers.CharField(**text) for name in CARD_SECTIONS}


class _ModelBase(ApiView):
    serializer_class: Any = ModelOutput

    def get_queryset(self) -> Any:
        models = RegisteredModel.objects.visible_to(self.request.user)
        return models.select_related("project").prefetch_related(
            queries.champion_aliases(), *queries.model_words()
        )

    def get_object(self) -> RegisteredModel:
        slug, name = self.kwargs["slug"], self.kwargs["name"]
        found: RegisteredModel = get_object_or_404(
            self.get_queryset(), project__slug=slug, name=name
        )
        return found

    def get_project(self) -> Project:
        visible = Project.objects.visible_to(self.request.user)
        return get_object_or_404(visible, slug=self.kwargs["slug"])

    def get_version(self) -> ModelVersion:
        visible = ModelVersion.objects.visible_to(self.request.user)
        return get_object_or_404(
            queries.with_card_parts(visible),
            model__project__slug=self.kwargs["slug"],
            model__name=self.kwargs["name"],
            number=self.kwargs["number"],
        )


class ModelsView(_ModelBase):
    @extend_schema(
        parameters=[OpenApiParameter("search", str, description="Part of the name.")],
        responses=ModelOutput(many=True),
    )
    def get(self, request: ApiRequest) -> Response:
        """All models that I can see, with their champions, newest first."""
        search = request.query_params.get("search", "")
        page = self.paginate_queryset(
            self.get_queryset().filter(name__icontains=search)
        )
        return self.get_paginated_response(ModelOutput(page, many=True).data)


class ProjectModelsView(_ModelBase):
    @extend_schema(responses=ModelOutput(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Models of a project, newest first."""
        models = self.get_queryset().filter(project=self.get_project())
        page = self.paginate_queryset(models)
        return self.get_paginated_response(ModelOutput(page, many=True).data)


class ModelView(ETagMixin, _ModelBase):
    @extend_schema(responses=ModelOutput)
    def get(self, request: ApiRequest, slug: str, name: str) -> Response:
        """One model with its champion."""
        return Response(ModelOutput(self.get_object()).data)


class ModelVersionsView(_ModelBase):
    serializer_class = ModelVersionOutput

    @extend_schema(responses=ModelVersionRow(many=True))
    def get(self, request: ApiRequest, slug: str, name: str) -> Response:
        """Versions of a model, newest first."""
        found = self.get_object().versions.active().select_related("registered_by")
        versions = queries.with_verdicts(found)
        page = self.paginate_queryset(versions.defer("manifest", "signature"))
        return self.get_paginated_response(ModelVersionRow(page, many=True).data)

    @extend_schema(request=ModelVersionInput, responses={201: ModelVersionOutput})
    def post(self, request: ApiRequest, slug: str, name: str) -> Response:
        """Register the model of a run; a new name makes a new model."""
        project = self.get_project()
        given = ModelVersionInput(data=request.data)
        given.is_valid(raise_exception=True)
        runs = Run.objects.visible_to(request.user).select_related(
            "experiment__project"
        )
        version = actions.register_version(
            project=project,
            run=get_object_or_404(runs, pk=given.validated_data["run_id"]),
            model_name=name,
            description=given.validated_data["description"],
            part=given.validated_data["part"],
            by=request.user,
        )
        location = reverse("v1:model_version", args=[slug, name, version.number])
        return Response(
            ModelVersionOutput(version).data, status=201, headers={"Location": location}
        )


class ModelVersionView(ETagMixin, _ModelBase):
    serializer_class = ModelVersionOutput

    @extend_schema(responses=ModelVersionOutput)
    def get(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """One version with its manifest and signature."""
        return Response(ModelVersionOutput(self.get_version()).data)


class CardSectionsView(ETagMixin, _ModelBase):
    serializer_class = CardSections

    @extend_schema(responses=CardSections)
    def get(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """What people wrote on the card."""
        return Response(CardSections(self.get_version().card).data)

    @extend_schema(request=CardSections, responses=CardSections)
    def patch(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Write sections of the card; a missing one stays."""
        version = self.get_version()
        given = CardSections(data=request.data)
        given.is_valid(raise_exception=True)
        card = actions.edit_card(
            version=version, sections=given.validated_data, by=request.user
        )
        return Response(CardSections(card).data)


class ModelFileView(_ModelBase):
    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(
        self, request: ApiRequest, slug: str, name: str, number: int, path: str
    ) -> FileResponse:
        """One file of a version."""
        version = self.get_version()
        if queries.manifest_entry(version, path) is None:
            raise Http404
        entry = actions.download_model_file(version=version, path=path, by=request.user)
        return send_blob(
            entry["sha256"],
            name=PurePosixPath(path).name,
            media_type=entry["media_type"],
        )


class RestrictModelView(RestrictBase, _ModelBase): ...


class OpenModelView(OpenBase, _ModelBase): ...


class ModelGrantsView(GrantsBase, _ModelBase): ...


class ModelGrantView(GrantBase, _ModelBase): ...


_MODEL = "projects/<slug:slug>/models/<str:name>"
_VERSION = f"{_MODEL}/versions/<int:number>"

urlpatterns = [
    path("models", ModelsView.as_view(), name="models"),
    path(
        "projects/<slug:slug>/models",
        ProjectModelsView.as_view(),
        name="project_models",
    ),
    path(_MODEL, ModelView.as_view(), name="model"),
    path(f"{_MODEL}/versions", ModelVersionsView.as_view(), name="model_versions"),
    path(_VERSION, ModelVersionView.as_view(), name="model_version"),
    path(f"{_VERSION}/card/sections", CardSectionsView.as_view(), name="card_sections"),
    path(f"{_VERSION}/files/<path:path>", ModelFileView.as_view(), name="model_file"),
    path(f"{_MODEL}/restrict", RestrictModelView.as_view(), name="restrict_model"),
    path(f"{_MODEL}/open", OpenModelView.as_view(), name="open_model"),
    path(f"{_MODEL}/grants", ModelGrantsView.as_view(), name="model_grants"),
    path(
        f"{_MODEL}/grants/<uuid:person_pk>",
        ModelGrantView.as_view(),
        name="model_grant",
    ),
]
