from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.accounts import actions, rules
from apps.accounts.api_erasure import urlpatterns as erasure
from apps.accounts.models import ApiToken, TokenScope, User
from apps.audit.waiting import seal_header
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView


class MembershipOutput(serializers.Serializer[Any]):
    project = serializers.CharField(source="project.slug")
    role = serializers.CharField()


class MeOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    full_name = serializers.CharField()
    title = serializers.CharField()
    organisation = serializers.CharField()
    agency_roles = serializers.ListField(child=serializers.CharField())
    memberships = MembershipOutput(many=True, source="memberships.all")


class MeView(ETagMixin, ApiView):
    @extend_schema(responses=MeOutput)
    def get(self, request: ApiRequest) -> Response:
        """Who this token speaks for, with the roles that count."""
        visible = User.objects.visible_to(request.user)
        person = visible.prefetch_related("memberships__project").get(
            pk=request.user.pk
        )
        return Response(MeOutput(person).data)


class TokenInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)
    scope = serializers.ChoiceField(choices=TokenScope.choices)
    days = serializers.IntegerField(min_value=1, max_value=365, default=90)
    default_project = serializers.SlugField(
        default="",
        allow_blank=True,
        help_text="Where names of experiments belong that name no project.",
    )


class TokenOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    scope = serializers.CharField()
    prefix = serializers.CharField()
    default_project = serializers.SlugField(
        source="default_project.slug", default=None, allow_null=True
    )
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class IssuedTokenOutput(TokenOutput):
    secret = serializers.CharField(help_text="Shown once; the portal keeps a digest.")


class TokensView(ApiView):
    serializer_class = TokenOutput

    def get_queryset(self) -> Any:
        visible = ApiToken.objects.visible_to(self.request.user)
        return visible.select_related("default_project")

    @extend_schema(responses=TokenOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """My tokens, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(TokenOutput(page, many=True).data)

    @extend_schema(request=TokenInput, responses={201: IssuedTokenOutput})
    def post(self, request: ApiRequest) -> Response:
        """Issue a token; its secret is in this answer only."""
        given = TokenInput(data=request.data)
        given.is_valid(raise_exception=True)
        token, secret = actions.issue_token(**given.validated_data, by=request.user)
        body = {**TokenOutput(token).data, "secret": secret}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})


class RevokeTokenView(ApiView):
    serializer_class = TokenOutput

    def get_queryset(self) -> Any:
        return ApiToken.objects.visible_to(self.request.user)

    @extend_schema(request=None, responses=TokenOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Make a token useless at once."""
        token = actions.revoke_token(token=self.get_object(), by=request.user)
        return Response(TokenOutput(token).data)


class PersonInput(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    full_name = serializers.CharField(max_length=150)
    title = serializers.CharField(max_length=150, default="", allow_blank=True)
    organisation = serializers.CharField(max_length=150, default="", allow_blank=True)
    agency_roles = serializers.ListField(child=serializers.CharField(), default=list)
    password = serializers.CharField(max_length=128)


class PersonOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    full_name = serializers.CharField()
    title = serializers.CharField()
    organisation = serializers.CharField()
    kind = serializers.CharField()
    agency_roles = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()


class ProfileInput(serializers.Serializer[Any]):
    full_name = serializers.CharField(max_length=150)
    title = serializers.CharField(max_length=150, allow_blank=True)
    organisation = serializers.CharField(max_length=150, allow_blank=True)


class RolesInput(serializers.Serializer[Any]):
    agency_roles = serializers.ListField(child=serializers.CharField())


class PeopleView(ApiView):
    serializer_class = PersonOutput

    def get_queryset(self) -> Any:
        return User.objects.visible_to(self.request.user).matching(
            self.request.query_params.get("search", "")
        )

    @extend_schema(responses=PersonOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """Accounts, newest first; for administrators."""
        ensure(rules.can_manage_accounts(request.user))
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(PersonOutput(page, many=True).data)

    @extend_schema(request=PersonInput, responses={201: PersonOutput})
    def post(self, request: ApiRequest) -> Response:
        """Create the account of a person."""
        given = PersonInput(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        person = actions.create_person(
            email=data["email"],
            full_name=data["full_name"],
            password=data["password"],
            profile=data,
            agency_roles=data["agency_roles"],
            by=request.user,
        )
        return Response(
            PersonOutput(person).data,
            status=201,
            headers={"Location": f"{request.path}/{person.pk}"},
        )


class _PersonBase(ETagMixin, ApiView):
    serializer_class = PersonOutput

    def get_queryset(self) -> Any:
        return User.objects.visible_to(self.request.user)


class PersonView(_PersonBase):
    @extend_schema(responses=PersonOutput)
    def get(self, request: ApiRequest, pk: str) -> Response:
        """One account."""
        return Response(PersonOutput(self.get_object()).data)

    @extend_schema(request=ProfileInput, responses=PersonOutput)
    def patch(self, request: ApiRequest, pk: str) -> Response:
        """Change name, title and organisation."""
        person = self.get_object()
        given = ProfileInput(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        person = actions.edit_person(
            person=person, profile=given.validated_data, by=request.user
        )
        return Response(PersonOutput(person).data)


class SetAgencyRolesView(_PersonBase):
    @extend_schema(request=RolesInput, responses=PersonOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Replace the agency roles of a person."""
        given = RolesInput(data=request.data)
        given.is_valid(raise_exception=True)
        person = actions.set_agency_roles(
            person=self.get_object(), **given.validated_data, by=request.user
        )
        return Response(PersonOutput(person).data, headers=seal_header())


class DeactivatePersonView(_PersonBase):
    @extend_schema(request=None, responses=PersonOutput)
    def post(self, request: ApiRequest, pk: str) -> Response:
        """Close an account."""
        person = actions.deactivate_person(person=self.get_object(), by=request.user)
        return Response(PersonOutput(person).data)


urlpatterns = [
    path("me", MeView.as_view(), name="me"),
    path("tokens", TokensView.as_view(), name="tokens"),
    path("tokens/<uuid:pk>/revoke", RevokeTokenView.as_view(), name="revoke_token"),
    path("people", PeopleView.as_view(), name="people"),
    path("people/<uuid:pk>", PersonView.as_view(), name="person"),
    path(
        "people/<uuid:pk>/set-agency-roles",
        SetAgencyRolesView.as_view(),
        name="set_agency_roles",
    ),
    path(
        "people/<uuid:pk>/deactivate",
        DeactivatePersonView.as_view(),
        name="deactivate_person",
    ),
    *erasure,
]
