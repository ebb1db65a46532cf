from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.audit.waiting import seal_header
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.projects import actions, queries, rules
from apps.projects.models import Direction, Impact, Membership, Project


class ObjectiveShape(serializers.Serializer[Any]):
    measure = serializers.CharField(max_length=200)
    unit = serializers.CharField(max_length=60)
    direction = serializers.ChoiceField(choices=Direction.choices)
    baseline = serializers.FloatField()
    target = serializers.FloatField()
    false_alarm_cost = serializers.FloatField()
    miss_cost = serializers.FloatField()


class ProjectInput(serializers.Serializer[Any]):
    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    mission = serializers.CharField(max_length=4000)


class ProjectChanges(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, required=False)
    mission = serializers.CharField(max_length=4000, required=False)


class ProjectOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.SlugField()
    name = serializers.CharField()
    mission = serializers.CharField()
    impact = serializers.CharField()
    impact_reason = serializers.CharField()
    allows_code = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    objective = ObjectiveShape(allow_null=True, default=None)


class _ProjectBase(ApiView):
    serializer_class: Any = ProjectOutput
    lookup_field = "slug"

    def get_queryset(self) -> Any:
        projects = Project.objects.visible_to(self.request.user)
        return projects.select_related("objective")


class ProjectsView(_ProjectBase):
    @extend_schema(responses=ProjectOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """Projects that I can see, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(ProjectOutput(page, many=True).data)

    @extend_schema(request=ProjectInput, responses={201: ProjectOutput})
    def post(self, request: ApiRequest) -> Response:
        """Open a project and become its program manager."""
        given = ProjectInput(data=request.data)
        given.is_valid(raise_exception=True)
        project = actions.create_project(**given.validated_data, by=request.user)
        return Response(
            ProjectOutput(project).data,
            status=201,
            headers={"Location": f"{request.path}/{project.slug}"},
        )


class ProjectView(ETagMixin, _ProjectBase):
    @extend_schema(responses=ProjectOutput)
    def get(self, request: ApiRequest, slug: str) -> Response:
        """One project with its objective."""
        return Response(ProjectOutput(self.get_object()).data)

    @extend_schema(request=ProjectChanges, responses=ProjectOutput)
    def patch(self, request: ApiRequest, slug: str) -> Response:
        """Change name or mission statement."""
        given = ProjectChanges(data=request.data)
        given.is_valid(raise_exception=True)
        project = actions.edit_project(
            project=self.get_object(), values=given.validated_data, by=request.user
        )
        return Response(ProjectOutput(project).data)


class ObjectiveView(_ProjectBase):
    @extend_schema(request=ObjectiveShape, responses=ObjectiveShape)
    def put(self, request: ApiRequest, slug: str) -> Response:
        """State what the mission gains and what each kind of error costs."""
        given = ObjectiveShape(data=request.data)
        given.is_valid(raise_exception=True)
        objective = actions.state_objective(
            project=self.get_object(),
            statement=actions.ObjectiveStatement(**given.validated_data),
            by=request.user,
        )
        return Response(ObjectiveShape(objective).data)


class ImpactInput(serializers.Serializer[Any]):
    impact = serializers.ChoiceField(choices=[Impact.NOT_HIGH, Impact.HIGH])
    reason = serializers.CharField(max_length=4000)


class DetermineImpactView(_ProjectBase):
    @extend_schema(request=ImpactInput, responses=ProjectOutput)
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Determine whether the use is high-impact; for the AI official."""
        given = ImpactInput(data=request.data)
        given.is_valid(raise_exception=True)
        project = actions.determine_impact(
            project=self.get_object(), **given.validated_data, by=request.user
        )
        return Response(ProjectOutput(project).data)


class CodePolicyInput(serializers.Serializer[Any]):
    allows_code = serializers.BooleanField()


class SetCodePolicyView(_ProjectBase):
    @extend_schema(request=CodePolicyInput, responses=ProjectOutput)
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Say whether people may run their own code; for the program manager."""
        given = CodePolicyInput(data=request.data)
        given.is_valid(raise_exception=True)
        project = actions.set_code_policy(
            project=self.get_object(), **given.validated_data, by=request.user
        )
        return Response(ProjectOutput(project).data)


class MemberInput(serializers.Serializer[Any]):
    email = serializers.EmailField()
    role = serializers.CharField()


class RoleInput(serializers.Serializer[Any]):
    role = serializers.CharField()


class MemberOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField(source="user.email")
    full_name = serializers.CharField(source="user.full_name")
    role = serializers.CharField()
    added_at = serializers.DateTimeField()


class MembersView(_ProjectBase):
    serializer_class = MemberOutput

    @extend_schema(responses=MemberOutput(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Members, newest first."""
        members = queries.members_of(self.get_object())
        page = self.paginate_queryset(members)
        return self.get_paginated_response(MemberOutput(page, many=True).data)

    @extend_schema(request=MemberInput, responses={201: MemberOutput})
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Make somebody a member in one role."""
        project = self.get_object()
        ensure(rules.can_add_member(request.user, project))
        given = MemberInput(data=request.data)
        given.is_valid(raise_exception=True)
        membership = actions.add_member(
            project=project,
            person=queries.person_by_email(given.validated_data["email"]),
            role=given.validated_data["role"],
            by=request.user,
        )
        return Response(MemberOutput(membership).data, status=201)


class MemberView(ApiView):
    serializer_class = MemberOutput

    def _membership(self) -> Membership:
        visible = Membership.objects.visible_to(self.request.user)
        return get_object_or_404(
            visible.select_related("project", "user"), pk=self.kwargs["pk"]
        )

    @extend_schema(request=RoleInput, responses=MemberOutput)
    def patch(self, request: ApiRequest, pk: str) -> Response:
        """Give a member another role."""
        given = RoleInput(data=request.data)
        membership = self._membership()
        given.is_valid(raise_exception=True)
        membership = actions.change_role(
            membership=membership, **given.validated_data, by=request.user
        )
        return Response(MemberOutput(membership).data, headers=seal_header())

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: ApiRequest, pk: str) -> Response:
        """End a membership."""
        actions.remove_member(membership=self._membership(), by=request.user)
        return Response(status=204)


urlpatterns = [
    path("projects", ProjectsView.as_view(), name="projects"),
    path("projects/<slug:slug>", ProjectView.as_view(), name="project"),
    path("projects/<slug:slug>/objective", ObjectiveView.as_view(), name="objective"),
    path(
        "projects/<slug:slug>/determine-impact",
        DetermineImpactView.as_view(),
        name="determine_impact",
    ),
    path(
        "projects/<slug:slug>/set-code-policy",
        SetCodePolicyView.as_view(),
        name="set_code_policy",
    ),
    path("projects/<slug:slug>/members", MembersView.as_view(), name="members"),
    path("members/<uuid:pk>", MemberView.as_view(), name="member"),
]
