from django.urls import reverse

from apps.notices.models import Notice
from tests.factories import notices


def test_notices_are_listed_newest_first_and_told_apart(project, validator, api_of):
    old, new = (notices.told(project, validator, sentence=s) for s in ("One.", "Two."))
    api = api_of(validator)
    api.post(reverse("v1:read_notice", args=[old.pk]))

    everything = api.get(reverse("v1:notices")).json()["results"]
    unread = api.get(reverse("v1:notices"), {"unread": "true"}).json()["results"]

    assert [found["sentence"] for found in everything] == ["Two.", "One."]
    assert [found["id"] for found in unread] == [str(new.pk)]
    assert everything[1]["read_at"]
    assert unread[0]["url"] == f"{project.get_absolute_url()}#thing"
    assert unread[0]["kind"] == "approval.stale"


def test_read_notices_says_how_many(project, validator, api_of):
    notices.told(project, validator)
    notices.told(project, validator)
    api, address = api_of(validator), reverse("v1:read_notices")

    assert api.post(address).json() == {"marked": 2}
    assert api.post(address).json() == {"marked": 0}
    assert not Notice.objects.unread().exists()
