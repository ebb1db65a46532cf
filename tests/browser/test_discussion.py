"""A question about a request, told to whom it names, and answered on a phone."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from apps.approvals.models import Comment
from tests.factories import approvals, notices

pytestmark = pytest.mark.browser


def test_a_question_is_asked_told_and_answered(world, signed_in):
    approval = approvals.request(world)
    validator = signed_in("validator")
    validator.go(approval.get_absolute_url())
    validator.fill("Ask or say something", "@data_scientist, why so few hawks?")
    validator.choose("What it is about", "Validation report")

    validator.press("Send")

    validator.sees("@Dan Data")
    assert validator.page.url.endswith(approval.get_absolute_url())  # htmx, no reload
    validator.fits()

    author = signed_in("data_scientist")
    author.go(reverse("home:inbox"))
    author.follow("You are named in the discussion")
    question = Comment.objects.get()
    assert author.page.url.endswith(f"#comment-{question.pk}")
    expect(author.page.locator(f"#comment-{question.pk}")).to_be_in_viewport()
    author.page.locator(".thread__answer > summary").click()
    author.fill("Your answer", "The strikes are of winter.")
    author.press("Answer")
    author.sees("The strikes are of winter.")
    author.fits()

    author.press("Withdraw this comment")

    author.sees("Withdrawn by its author")


def test_news_are_read_one_by_one_and_all_together(world, signed_in):
    for sentence in ("The first news.", "The second news.", "The third news."):
        notices.tell(world.project, world.validator, sentence=sentence)
    validator = signed_in("validator")
    validator.go(reverse("home:inbox"))
    validator.press("Mark as read: The second news.")
    expect(validator.page.locator(".count")).to_have_text("2 waiting")
    validator.fits()

    validator.press("Mark all as read")

    validator.sees("Read already")
    expect(validator.page.locator(".count")).to_have_count(0)
