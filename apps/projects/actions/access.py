"""Who sees one thing of a project: a dataset, a registered model."""

from __future__ import annotations

from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm

from apps.access.checks import ensure
from apps.access.grants import view_permission
from apps.accounts.models import User
from apps.audit.record import personal, record
from apps.core.errors import Invalid
from apps.projects import queries, rules
from apps.projects.models import Restrictable


@transaction.atomic
def restrict(*, thing: Restrictable, by: User) -> Restrictable:
    """Hide a thing from members without a grant; its creator and `by` get one.

    Raises:
        Refused: only who may grant access.
        WrongState: it is restricted already.
    """
    thing = _locked(thing)
    ensure(rules.can_restrict(by, thing))
    thing.is_restricted = True
    thing.save()
    people = {thing.created_by, by}
    for person in people:
        assign_perm(view_permission(type(thing)), person, thing)
    record(
        thing.sharing.restricted,
        target=thing,
        project=thing.project,
        by=by,
        changes={
            "is_restricted": [False, True],
            "people": [personal(person) for person in sorted(people, key=str)],
        },
    )
    return thing


@transaction.atomic
def open_to_members(*, thing: Restrictable, by: User) -> Restrictable:
    """Show a thing to all members again.

    The grants of members end; people outside of the project keep what they were shown.

    Raises:
        Refused: only who may grant access.
        WrongState: it is open already.
    """
    thing = _locked(thing)
    ensure(rules.can_open_to_members(by, thing))
    thing.is_restricted = False
    thing.save()
    members = thing.project.memberships.values("user")
    for person in queries.granted_people(thing).filter(pk__in=members):
        remove_perm(view_permission(type(thing)), person, thing)
    record(
        thing.sharing.opened,
        target=thing,
        project=thing.project,
        by=by,
        changes={"is_restricted": [True, False]},
    )
    return thing


@transaction.atomic
def grant(*, thing: Restrictable, person: User, by: User) -> Restrictable:
    """Show a thing to one person: a member, or anybody where its kind allows it.

    Raises:
        Invalid: no active person, no member where one is needed, or granted before.
        Refused: only who may grant access.
        WrongState: only members could be granted it, and it is open to all of them.
    """
    thing = _locked(thing)
    ensure(rules.can_grant(by, thing))
    _check_grantee(thing, person)
    assign_perm(view_permission(type(thing)), person, thing)
    record(
        thing.sharing.granted,
        target=thing,
        project=thing.project,
        by=by,
        changes={"person": personal(person)},
    )
    return thing


@transaction.atomic
def revoke_grant(*, thing: Restrictable, person: User, by: User) -> Restrictable:
    """Take back what `grant` gave.

    Raises:
        Invalid: `person` has no grant on this thing.
        Refused: only who may grant access, and never their own.
        WrongState: as `grant`.
    """
    thing = _locked(thing)
    ensure(rules.can_revoke_grant(by, thing, person))
    if not queries.granted_people(thing).filter(pk=person.pk).exists():
        raise Invalid(
            f"{person.full_name} was not given access to this {thing.sharing.noun}."
        )
    remove_perm(view_permission(type(thing)), person, thing)
    record(
        thing.sharing.grant_revoked,
        target=thing,
        project=thing.project,
        by=by,
        changes={"person": personal(person)},
    )
    return thing


def _locked(thing: Restrictable) -> Restrictable:
    # Not the project with it: who works in the project is another question.
    rows = type(thing).objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("project", "created_by").get(pk=thing.pk)


def _check_grantee(thing: Restrictable, person: User) -> None:
    members = thing.project.memberships.filter(user=person)
    if not User.objects.people().filter(pk=person.pk).exists():
        raise Invalid(
            "Only active accounts of people can be given access.",
            fields={"email": "Not an active person."},
        )
    if not thing.sharing.with_outsiders and not members.exists():
        raise Invalid(
            f"{person.full_name} is no member of this project. Add them first.",
            fields={"email": "Not a member of this project."},
        )
    if queries.granted_people(thing).filter(pk=person.pk).exists():
        raise Invalid(
            f"{person.full_name} has access already.",
            fields={"email": "Has access already."},
        )
