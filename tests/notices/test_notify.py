"""Notices are written once each, to people who can read them, inside an action."""

import pytest

from apps.notices.models import Notice, NoticeKind, forget_recipient
from apps.notices.notify import OutsideTransaction, notify
from tests.factories.notices import Thing, tell


def test_notify_tells_each_person_once(project, validator, developer):
    tell(project, validator, developer, validator)

    found = Notice.objects.order_by("recipient__email")
    assert [notice.recipient for notice in found] == [developer, validator]
    told = found[0]
    assert (told.kind, told.sentence) == ("approval.stale", "It moved.")
    assert told.get_absolute_url() == f"{project.get_absolute_url()}#thing"
    assert told.object_id == project.pk
    assert told.read_at is None
    assert told.title == "An approval became stale"


def test_notify_leaves_out_who_cannot_sign_in(project, validator, worker):
    validator.is_active = False

    tell(project, validator, worker)

    assert not Notice.objects.exists()


def test_notify_tells_again_unless_it_is_the_same_occasion(
    project, validator, developer
):
    tell(project, validator)
    tell(project, validator)
    tell(project, validator, once="day 7")

    tell(project, validator, developer, once="day 7")

    assert Notice.objects.visible_to(validator).count() == 3
    assert Notice.objects.visible_to(developer).count() == 1


def test_notify_needs_the_transaction_of_the_change(committed, world):
    with pytest.raises(OutsideTransaction):
        notify(
            to=[world.validator],
            kind=NoticeKind.APPROVAL_STALE,
            target=Thing(world.project),
            sentence="It moved.",
        )


def test_forget_recipient_removes_what_an_erased_person_was_told(
    project, validator, developer
):
    tell(project, validator, developer)

    forget_recipient(validator)

    assert Notice.objects.get().recipient == developer
