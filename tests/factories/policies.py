"""Policies that an AI official wrote."""

from apps.approvals import actions
from apps.approvals.models import PolicyVersion
from apps.approvals.policies import shipped_text
from apps.approvals.policy_book import next_number, renumbered
from tests.factories.people import PASSWORD


def text(*pairs: tuple[str, str], name: str = "standard") -> str:
    """The shipped text with the next number; each pair replaces words of it."""
    content = renumbered(shipped_text(name), next_number(name))
    for before, after in pairs:
        assert before in content, before
        content = content.replace(before, after)
    return content


def written(world, content: str | None = None, name: str = "standard") -> PolicyVersion:
    """A version that is not in force."""
    return actions.write_policy(
        name=name,
        text=content or text(name=name),
        note="The board asked for it.",
        by=world.ai_official,
    )


def enacted(world, content: str | None = None, name: str = "standard") -> PolicyVersion:
    """A version that is in force."""
    version = written(world, content, name)
    actions.enact_policy(
        version=version, reason="Decided.", password=PASSWORD, by=world.ai_official
    )
    return version
