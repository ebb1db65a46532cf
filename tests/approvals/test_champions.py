"""What is said of a champion whose approval came to an end."""

from apps.approvals import actions
from apps.approvals.serving import serving_decision
from apps.registry.queries import champion_of
from tests.factories import approvals
from tests.factories.people import PASSWORD


def test_a_champion_whose_approval_ended_is_said_not_to_serve(world, client_of):
    approval = approvals.approved(world)
    model, client = approval.version.model, client_of(world.developer)
    assert "is approved for use." in client.get(model.get_absolute_url()).text

    actions.revoke_approval(
        approval=approval,
        reason="It drifts.",
        password=PASSWORD,
        by=world.program_manager,
    )

    page = " ".join(client.get(model.get_absolute_url()).text.split())
    assert champion_of(model) == approval.version
    assert not serving_decision(approval.version)
    assert "is approved for use." not in page
    assert "does not serve: it was approved last, and is suspended now." in page
