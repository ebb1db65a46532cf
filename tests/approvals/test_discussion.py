"""What people say about a request: told to whom it concerns, and kept as it was."""

from hashlib import sha256

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.approvals import actions, discussion
from apps.approvals.models import Comment
from apps.core.errors import Invalid, Refused, WrongState
from apps.notices.models import Notice, NoticeKind
from apps.projects.actions import access, add_member
from tests.costs import queries_of
from tests.factories import approvals, people
from tests.trail import one_event

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def approval(world):
    made = approvals.request(world)
    Notice.objects.all().delete()
    return made


def write(approval, by, text: str = "Why so few hawks?", **kwargs) -> Comment:
    return actions.write_comment(approval=approval, text=text, by=by, **kwargs)


def told(kind: NoticeKind) -> set[str]:
    found = Notice.objects.filter(kind=kind).select_related("recipient")
    return {notice.recipient.email.partition("@")[0] for notice in found}


def text_of(approval) -> list[str]:
    page = discussion.threads_of(approval)
    return [shown.text for shown in discussion.shown(approval, page.rows)]


def test_write_comment_leaves_it_with_its_event(approval, validator):
    with one_event("comment.written") as events:
        comment = write(approval, validator, "  Why?  ", part="report")

    assert (comment.text, comment.part, comment.author) == ("Why?", "report", validator)
    facts = events[0].changes
    assert facts["comment_id"] == facts["thread_id"] == str(comment.pk)
    assert facts["part"] == "report"
    assert facts["text_sha256"] == sha256(b"Why?").hexdigest()
    assert events[0].target_id == str(approval.pk)


def test_a_thread_is_told_to_who_asked_and_to_who_wrote_in_it(approval, world):
    thread = write(approval, world.validator)
    assert told(NoticeKind.COMMENT_WRITTEN) == {"data_scientist"}
    Notice.objects.all().delete()
    write(approval, world.developer, "I wonder too.", reply_to=thread)
    assert told(NoticeKind.COMMENT_WRITTEN) == {"data_scientist", "validator"}
    Notice.objects.all().delete()

    write(approval, world.data_scientist, "It was winter.", reply_to=thread)

    assert told(NoticeKind.COMMENT_WRITTEN) == {"developer", "validator"}


def test_a_notice_leads_to_the_very_comment(approval, world, client_of):
    thread = write(approval, world.validator)
    for number in range(discussion.THREADS_SHOWN + 2):
        write(approval, world.validator, f"Number {number}.")
    reply = write(approval, world.developer, "Late.", reply_to=thread)
    notice = Notice.objects.latest("pk")
    page, _, anchor = notice.path.partition("#")

    shown = client_of(world.validator).get(page).content.decode()

    assert anchor == f"comment-{reply.pk}"
    assert f'id="{anchor}"' in shown
    assert "Newest threads first" in shown
    first = client_of(world.validator).get(approval.get_absolute_url())
    assert anchor not in first.content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "@validator, look.",
        "Look, @Validator.",
        "(@validator)",
        "@validator@agency.example: look",
    ],
)
def test_a_name_is_told_once_and_shown_as_a_name(approval, world, text):
    comment = write(approval, world.data_scientist, text)

    assert told(NoticeKind.COMMENT_NAMES) == {"validator"}
    assert comment.mentioned == [world.validator.pk]
    assert "alidator" not in comment.text
    assert "@Vera Validator" in text_of(approval)[0]


def test_a_name_tells_more_than_a_thread_and_is_told_alone(approval, world):
    write(approval, world.validator, "@data_scientist why?")

    assert told(NoticeKind.COMMENT_NAMES) == {"data_scientist"}
    assert told(NoticeKind.COMMENT_WRITTEN) == set()


@pytest.mark.parametrize(
    "text", ["@outsider", "@nobody", "a@validator", "mail validator@agency.example"]
)
def test_who_cannot_see_the_request_is_not_named(approval, world, text):
    write(approval, world.data_scientist, text)

    assert not Notice.objects.exists()
    assert text_of(approval) == [text]


def test_nobody_is_named_who_cannot_see_a_restricted_model(approval, world):
    access.restrict(thing=approval.version.model, by=world.data_scientist)

    write(approval, world.data_scientist, "@validator @program_manager")

    assert told(NoticeKind.COMMENT_NAMES) == {"program_manager"}


def test_a_name_that_could_be_two_people_must_be_whole(approval, world):
    twin = people.person("validator@elsewhere.example", "Other Validator")
    add_member(
        project=world.project, person=twin, role="developer", by=world.program_manager
    )
    with pytest.raises(Invalid, match="could be 2 people"):
        write(approval, world.data_scientist, "@validator?")

    write(approval, world.data_scientist, "@validator@elsewhere.example?")

    assert text_of(approval) == ["@Other Validator?"]


def test_an_id_that_somebody_typed_names_nobody(approval, world):
    typed = f"@[{world.outsider.pk}] @[{'0' * 36}]"

    write(approval, world.data_scientist, f"{typed} @validator")

    assert text_of(approval) == [f"{typed} @Vera Validator"]
    assert told(NoticeKind.COMMENT_NAMES) == {"validator"}


def test_erasing_somebody_takes_their_name_out_and_leaves_the_words(approval, world):
    comment = write(approval, world.developer, "Ask @validator.")
    for person in (world.validator, world.developer):
        person.is_active = False
        person.forget()
        person.save()

    [shown] = discussion.shown(approval, [Comment.objects.get(pk=comment.pk)])

    assert shown.text == f"Ask @{world.validator.full_name}."
    assert shown.text.startswith("Ask @Former member")
    assert shown.comment.author.full_name.startswith("Former member")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": " "}, "text"),
        ({"text": "x" * 2001}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"part": "weather"}, "part"),
        ({"text": " ".join(f"@p{n}" for n in range(11))}, "text"),
    ],
)
def test_write_comment_refuses_what_cannot_be(approval, validator, wrong, field):
    with pytest.raises(Invalid) as refused:
        write(approval, validator, **wrong)

    assert field in refused.value.fields
    assert not Comment.objects.exists()


def test_replies_have_no_replies_and_no_part(approval, world):
    thread = write(approval, world.validator)
    reply = write(approval, world.developer, "I too.", reply_to=thread)

    with pytest.raises(Invalid, match="began the thread"):
        write(approval, world.validator, "And?", reply_to=reply)
    with pytest.raises(Invalid, match="about what its thread is about"):
        write(approval, world.validator, "And?", reply_to=thread, part="report")
    with pytest.raises(IntegrityError), transaction.atomic():
        Comment.objects.filter(pk=reply.pk).update(part="report")


def test_a_reply_stays_in_its_own_discussion(approval, world):
    other = approvals.request(world, approvals.validated_version(world, "other"))
    thread = write(other, world.validator)

    with pytest.raises(Refused, match="another request"):
        write(approval, world.validator, reply_to=thread)


def test_a_thread_has_an_end(approval, world, monkeypatch):
    monkeypatch.setattr("apps.approvals.rules.MAX_REPLIES", 1)
    thread = write(approval, world.validator)
    write(approval, world.developer, "One.", reply_to=thread)

    with pytest.raises(WrongState, match="full"):
        write(approval, world.developer, "Two.", reply_to=thread)


def test_a_closed_request_can_still_be_talked_about(world):
    assert write(approvals.rejected(world), world.data_scientist, "I see.")


def test_write_comment_is_not_for_those_who_only_read(approval, auditor):
    with pytest.raises(Refused):
        write(approval, auditor)


def test_withdraw_comment_marks_it_and_keeps_what_it_said(
    approval, validator, client_of
):
    comment = write(approval, validator)

    with one_event("comment.withdrawn") as events:
        actions.withdraw_comment(comment=comment, by=validator)

    assert events[0].changes["comment_id"] == str(comment.pk)
    kept = Comment.objects.get()
    assert kept.withdrawn_at
    assert kept.text == "Why so few hawks?"
    page = client_of(validator).get(approval.get_absolute_url()).content.decode()
    assert "Withdrawn by its author" in page
    with pytest.raises(WrongState):
        actions.withdraw_comment(comment=comment, by=validator)


def test_withdraw_comment_is_for_its_author(approval, world):
    comment = write(approval, world.validator)

    with pytest.raises(Refused):
        actions.withdraw_comment(comment=comment, by=world.program_manager)


def test_what_was_withdrawn_can_be_said_again(approval, validator):
    first = write(approval, validator)
    assert write(approval, validator) == first
    actions.withdraw_comment(comment=first, by=validator)

    assert write(approval, validator) != first


def test_the_page_shows_words_not_markup(approval, world, client_of):
    write(approval, world.validator, f"{SCRIPT}\nline two", part="report")

    page = client_of(world.developer).get(approval.get_absolute_url())

    text = page.content.decode()
    assert SCRIPT not in text
    assert "&lt;script&gt;" in text
    assert "<br>line two" in text
    assert "Validation report</span>" in text


def test_htmx_gets_the_discussion_alone(approval, validator, client_of):
    client = client_of(validator)
    address = reverse("approvals:write_comment", args=[approval.pk])
    htmx = {"HX-Request": "true"}

    fine = client.post(address, {"text": "Why?"}, headers=htmx)
    wrong = client.post(address, {"text": ""}, headers=htmx)

    assert fine.status_code == 200
    assert fine.content.decode().lstrip().startswith('<section id="discussion"')
    assert "Why?" in fine.content.decode()
    assert wrong.status_code == 422
    assert "This field is required" in wrong.content.decode()
    assert Comment.objects.count() == 1


def test_a_reply_goes_to_its_thread_and_faults_show_beside_it(
    approval, world, client_of
):
    thread = write(approval, world.validator)
    client = client_of(world.developer)
    address = reverse("approvals:write_comment", args=[approval.pk])

    sent = client.post(address, {"text": "I too.", "reply_to": str(thread.pk)})
    wrong = client.post(address, {"text": "", "reply_to": str(thread.pk)})
    lost = client.post(address, {"text": "?", "reply_to": "nowhere"})

    reply = thread.replies.get()
    assert sent["Location"] == reply.get_absolute_url()
    assert wrong.status_code == 422
    assert f'id="reply_{thread.pk}_text"' in wrong.content.decode()
    assert lost.status_code == 404


def test_discussion_costs_the_same_however_long(approval, world, client_of, api_of):
    asked = (
        (client_of(world.developer), approval.get_absolute_url()),
        (api_of(world.developer), reverse("v1:comments", args=[approval.pk])),
    )
    thread = write(approval, world.validator, "@program_manager?")
    write(approval, world.developer, "Yes, @validator.", reply_to=thread)
    few = [queries_of(client, address) for client, address in asked]
    for number in range(4):
        more = write(approval, world.validator, f"{number} @program_manager?")
        write(approval, world.developer, f"{number} @developer", reply_to=more)

    assert [queries_of(client, address) for client, address in asked] == few


def test_api_writes_lists_and_withdraws(approval, world, api_of):
    api = api_of(world.validator)
    address = reverse("v1:comments", args=[approval.pk])
    first = api.post(
        address,
        {"text": "@developer?", "part": "card"},
        content_type="application/json",
    )
    thread = first.json()
    reply = {"text": "Yes.", "reply_to": thread["id"]}
    api_of(world.developer).post(address, reply, content_type="application/json")

    [found] = api.get(address).json()["results"]

    assert first.status_code == 201
    assert (thread["text"], thread["part"]) == ("@Dev Developer?", "card")
    assert found["id"] == thread["id"]
    assert [each["text"] for each in found["replies"]] == ["Yes."]
    assert found["replies"][0]["author"] == "Dev Developer"
    withdrawn = api.post(
        reverse("v1:withdraw_comment", args=[approval.pk, thread["id"]])
    )
    assert withdrawn.json()["withdrawn_at"]


def test_threads_come_newest_first_for_one_query(approval, world):
    for text in ("One.", "Two."):
        write(approval, world.validator, text)
    with CaptureQueriesContext(connection) as queries:
        page = discussion.threads_of(approval)

    assert [thread.text for thread in page.rows] == ["Two.", "One."]
    assert len(queries) == 1
