"""What waits for a person, from facts; and the news, a page at a time."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.approvals import actions
from apps.approvals.models import NewCondition
from apps.home.inbox import count_of_news
from apps.notices.models import Notice
from tests.costs import queries_of
from tests.factories import approvals, notices
from tests.factories.people import PASSWORD

INBOX = reverse("home:inbox")


def signed_under_a_condition(world, name: str = "damage"):
    approval = approvals.request(world, approvals.validated_version(world, name))
    due_on = timezone.localdate() + timedelta(days=3)
    duty = NewCondition(f"Retrain {name}.", world.data_scientist, due_on)
    given = actions.sign_off(
        approval=approval,
        comment="When it snows.",
        password=PASSWORD,
        by=world.validator,
        conditions=[duty],
    )
    return approval, given.conditions.get()


def test_inbox_lists_conditions_for_as_long_as_they_wait(world, client_of, api_of):
    _, condition = signed_under_a_condition(world)
    client = client_of(world.data_scientist)
    shown = client.get(INBOX).content.decode()
    assert condition.get_absolute_url() in shown
    [found] = api_of(world.data_scientist).get(reverse("v1:inbox")).json()["conditions"]
    assert found["text"] == "Retrain damage."
    assert found["version"] == "inspection/damage version 1"

    actions.meet_condition(
        condition=condition, evidence="Run 7.", by=world.data_scientist
    )

    assert "Retrain damage" not in client.get(INBOX).content.decode()


def test_inbox_forgets_conditions_of_requests_that_are_over(world, client_of):
    approval, _ = signed_under_a_condition(world)

    actions.withdraw_request(approval=approval, by=world.data_scientist)

    shown = client_of(world.data_scientist).get(INBOX).content.decode()
    assert "Retrain damage" not in shown


def test_inbox_shows_unread_news_first_and_pages_both(project, validator, client_of):
    for number in range(45):
        notices.told(project, validator, sentence=f"Number {number:02}.")
    client = client_of(validator)
    first = client.get(INBOX).context["news"].unread
    told = [notice.sentence for notice in first.rows]
    assert told == [f"Number {number}." for number in range(44, 24, -1)]
    second = client.get(INBOX, {"after": first.next_cursor}).context["news"].unread
    assert second.rows[0].sentence == "Number 24."

    client.post(reverse("notices:read_notices"))
    notices.told(project, validator, sentence="The newest.")

    page = client.get(INBOX)
    text, news = page.content.decode(), page.context["news"]
    assert [notice.sentence for notice in news.unread.rows] == ["The newest."]
    assert text.index("The newest.") < text.index("Number 44.")
    older = client.get(INBOX, {"earlier": news.earlier.next_cursor})
    assert older.context["news"].earlier.rows[0].sentence == "Number 24."


def test_inbox_cost_grows_with_nothing(world, client_of):
    client = client_of(world.data_scientist)
    signed_under_a_condition(world, "first")
    few = queries_of(client, INBOX)
    for name in ("second", "third"):
        signed_under_a_condition(world, name)
    notices.told(world.project, world.data_scientist)

    assert queries_of(client, INBOX) == few


def test_the_header_costs_one_query_of_one_index(project, validator):
    read = {"recipient": validator, "object_id": project.pk, "read_at": timezone.now()}
    Notice.objects.keep([Notice(**read, dedup_key=str(each)) for each in range(1000)])
    notices.told(project, validator)
    with CaptureQueriesContext(connection) as queries:
        assert count_of_news(validator) == 1

    [query] = queries
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notices_notice")
        cursor.execute(f"EXPLAIN {query['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "notices_unread" in plan
