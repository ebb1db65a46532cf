"""Letters repeat what stands in the inbox, as each person wants it."""

import socket
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.core.errors import Refused
from apps.notices.actions import mail_notices
from apps.notices.models import MailPreference, Notice, forget_recipient
from apps.notices.tasks import mail_notices as mail_all
from tests.factories import notices


@pytest.fixture(autouse=True)
def mail_on(settings) -> None:
    settings.MAIL_ON = True
    settings.PORTAL_URL = "https://portal.example.gov/"
    settings.DEFAULT_FROM_EMAIL = "portal@agency.example"


def choose(person, mail: str) -> None:
    MailPreference.objects.visible_to(person).choose(person, mail)


def addressed(mailoutbox) -> list[str]:
    return [address for letter in mailoutbox for address in letter.to]


def test_a_notice_is_mailed_once_with_a_link_to_its_place(
    project, validator, mailoutbox
):
    notices.told(project, validator, sentence="It\nmoved.")

    mail_all()
    mail_all()

    [letter] = mailoutbox
    assert letter.to == ["validator@agency.example"]
    assert letter.from_email == "portal@agency.example"
    assert letter.subject == "[MLOps Portal] It moved."
    assert (
        f"https://portal.example.gov{project.get_absolute_url()}#thing\n" in letter.body
    )
    assert f"https://portal.example.gov{reverse('notices:mail')}" in letter.body
    assert letter.extra_headers["Auto-Submitted"] == "auto-generated"


def test_several_notices_are_one_letter(project, validator, mailoutbox):
    for sentence in ("One.", "Two."):
        notices.told(project, validator, sentence=sentence)

    mail_all()

    [letter] = mailoutbox
    assert letter.subject == "[MLOps Portal] 2 news in your inbox"
    assert letter.body.index("One.") < letter.body.index("Two.")


def test_what_was_read_or_is_old_is_not_mailed(project, validator, mailoutbox):
    notices.told(project, validator)
    Notice.objects.mark_read()
    old = notices.told(project, validator)
    Notice.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(days=2)
    )

    mail_all()

    assert not mailoutbox


def test_nothing_is_mailed_while_mail_is_off(project, validator, mailoutbox, settings):
    settings.MAIL_ON = False
    notices.told(project, validator)
    mail_all()
    assert not mailoutbox

    settings.MAIL_ON = True
    mail_all()

    assert addressed(mailoutbox) == ["validator@agency.example"]


def test_whoever_wants_none_gets_none(project, validator, developer, mailoutbox):
    choose(validator, "none")
    notices.told(project, validator, developer)

    mail_all()

    assert addressed(mailoutbox) == ["developer@agency.example"]


def at(hour: int, *, day: int = 3) -> datetime:
    return datetime(2027, 3, day, hour, 30, tzinfo=UTC)


def test_whoever_wants_one_letter_a_day_gets_one(
    project, validator, mailoutbox, monkeypatch
):
    def tell_and_mail(now: datetime) -> int:
        monkeypatch.setattr(timezone, "now", lambda: now)
        told = notices.told(project, validator, sentence=f"At {now:%d %H}.")
        Notice.objects.filter(pk=told.pk).update(created_at=now)
        mail_all()
        return len(mailoutbox)

    choose(validator, "daily")

    sent = [tell_and_mail(at(hour)) for hour in (3, 5, 7, 12, 23)]
    next_day = [tell_and_mail(at(hour, day=4)) for hour in (5, 6, 7)]

    assert sent == [0, 0, 1, 1, 1]
    assert next_day == [1, 2, 2]
    for told in ("At 03 12.", "At 03 23.", "At 04 06."):
        assert told in mailoutbox[1].body
    assert "At 03 07." not in mailoutbox[1].body


def test_a_server_that_does_not_answer_is_asked_again(
    project, validator, settings, mailoutbox, caplog
):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = closed.getsockname()
    ordinary = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    notices.told(project, validator)
    mail_all()
    assert "Mail cannot be sent now" in caplog.text

    settings.EMAIL_BACKEND = ordinary
    mail_all()

    assert len(mailoutbox) == 1


def test_an_address_that_is_refused_is_not_tried_for_ever(
    project, validator, settings, mailoutbox, caplog
):
    ordinary = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.notices.backends.UnknownAddress"
    notices.told(project, validator)
    mail_all()
    assert str(validator.pk) in caplog.text
    assert "agency.example" not in caplog.text

    settings.EMAIL_BACKEND = ordinary
    mail_all()

    assert not mailoutbox
    assert Notice.objects.unread().exists()


def test_one_letter_that_is_not_taken_stops_no_other(
    project, validator, developer, settings, mailoutbox
):
    settings.EMAIL_BACKEND = "tests.notices.backends.DislikesTheFirst"
    notices.told(project, validator, developer)

    mail_all()

    assert addressed(mailoutbox) == ["validator@agency.example"]


def test_mail_notices_is_for_workers_only(project, validator, program_manager):
    notices.told(project, validator)

    with pytest.raises(Refused):
        mail_notices(person=validator, by=program_manager)


def test_an_erased_person_is_written_to_no_more(project, validator, mailoutbox):
    choose(validator, "daily")
    notices.told(project, validator)

    forget_recipient(validator)
    mail_all()

    assert not mailoutbox
    assert not MailPreference.objects.exists()


def test_the_page_keeps_the_choice_and_says_when_mail_is_off(
    validator, client_of, settings
):
    client, address = client_of(validator), reverse("notices:mail")
    settings.MAIL_ON = False
    assert "This portal sends no mail" in client.get(address).content.decode()
    settings.MAIL_ON = True

    client.post(address, {"mail": "daily"})
    wrong = client.post(address, {"mail": "hourly"})

    page = client.get(address).content.decode()
    assert "This portal sends no mail" not in page
    assert MailPreference.objects.get().mail == "daily"
    assert wrong.status_code == 422


def test_api_keeps_the_choice(validator, api_of):
    api, address = api_of(validator), reverse("v1:mail")
    assert api.get(address).json() == {"mail": "each", "is_on": True}

    answer = api.put(address, {"mail": "none"}, content_type="application/json")

    assert answer.json() == {"mail": "none", "is_on": True}
    assert api.get(address).json()["mail"] == "none"


@pytest.mark.parametrize(("once", "times"), [("", 1), ("day 7", 0)])
def test_telling_people_wakes_the_post_after_the_commit(
    project, validator, django_capture_on_commit_callbacks, once, times
):
    with django_capture_on_commit_callbacks() as sent:
        notices.told(project, validator, once=once)

    assert [call.args[0].name for call in sent] == ["notices.mail"] * times
