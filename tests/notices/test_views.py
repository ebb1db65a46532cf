from django.urls import reverse

from apps.notices.models import Notice
from tests.factories import notices

INBOX = reverse("home:inbox")


def test_open_notice_leads_to_what_it_is_about_and_is_read(
    project, validator, client_of
):
    notice = notices.told(project, validator)

    answer = client_of(validator).get(reverse("notices:open_notice", args=[notice.pk]))

    assert answer["Location"] == f"{project.get_absolute_url()}#thing"
    assert Notice.objects.get().read_at


def test_read_notice_keeps_when_it_was_first_read(project, validator, client_of):
    notice = notices.told(project, validator)
    other = notices.told(project, validator)
    client, address = client_of(validator), [notice.pk]
    client.post(reverse("notices:read_notice", args=address))
    first = Notice.objects.get(pk=notice.pk).read_at

    client.post(reverse("notices:read_notice", args=address))

    assert first
    assert Notice.objects.get(pk=notice.pk).read_at == first
    assert Notice.objects.get(pk=other.pk).read_at is None


def test_read_notices_reads_mine_only(project, validator, developer, client_of):
    notices.told(project, validator, developer)
    notices.told(project, validator)

    client_of(validator).post(reverse("notices:read_notices"))

    left = Notice.objects.unread()
    assert [notice.recipient for notice in left] == [developer]


def test_inbox_counts_in_the_header_what_is_unread(project, validator, client_of):
    for _ in range(101):
        notices.told(project, validator)
    client = client_of(validator)
    assert '99+<span class="usa-sr-only"> waiting' in client.get(INBOX).content.decode()

    client.post(reverse("notices:read_notices"))

    assert '<span class="count">' not in client.get(INBOX).content.decode()
