"""Bases of the API views that say who sees a thing.

Each is joined with the base of the thing's own views, which has `get_object` and the
serializer of the thing.
"""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.core.rest_views import ApiRequest, ApiView
from apps.projects import actions, queries, rules


class GrantInput(serializers.Serializer[Any]):
    email = serializers.EmailField()


class GrantOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    full_name = serializers.CharField()


class RestrictBase(ApiView):
    @extend_schema(request=None)
    def post(self, request: ApiRequest, **address: Any) -> Response:
        """Hide it from members without a grant."""
        actions.restrict(thing=self.get_object(), by=request.user)
        return Response(self.get_serializer(self.get_object()).data)


class OpenBase(ApiView):
    @extend_schema(request=None)
    def post(self, request: ApiRequest, **address: Any) -> Response:
        """Show it to all members again."""
        actions.open_to_members(thing=self.get_object(), by=request.user)
        return Response(self.get_serializer(self.get_object()).data)


class GrantsBase(ApiView):
    serializer_class = GrantOutput

    @extend_schema(responses=GrantOutput(many=True))
    def get(self, request: ApiRequest, **address: Any) -> Response:
        """People who were given access one by one."""
        page = self.paginate_queryset(queries.granted_people(self.get_object()))
        return self.get_paginated_response(GrantOutput(page, many=True).data)

    @extend_schema(request=GrantInput, responses={201: GrantOutput})
    def post(self, request: ApiRequest, **address: Any) -> Response:
        """Give access to one person."""
        thing = self.get_object()
        ensure(rules.can_grant(request.user, thing))
        given = GrantInput(data=request.data)
        given.is_valid(raise_exception=True)
        person = queries.person_by_email(given.validated_data["email"])
        actions.grant(thing=thing, person=person, by=request.user)
        return Response(GrantOutput(person).data, status=201)


class GrantBase(ApiView):
    @extend_schema(request=None, responses={204: None})
    def delete(self, request: ApiRequest, person_pk: UUID, **address: Any) -> Response:
        """Take the access of one person back."""
        thing = self.get_object()
        person = get_object_or_404(queries.granted_people(thing), pk=person_pk)
        actions.revoke_grant(thing=thing, person=person, by=request.user)
        return Response(status=204)
