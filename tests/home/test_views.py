import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.approvals import actions as approvals_actions
from apps.home import context
from apps.projects import actions as projects
from apps.projects.actions import access
from tests.factories import approvals, people, training, validation
from tests.factories import datasets as dataset_factory
from tests.factories import experiments as experiment_factory
from tests.factories import projects as project_factory
from tests.factories import registry as registry_factory
from tests.factories.people import PASSWORD

SCRIPT = "<script>alert(1)</script>"
HOME = reverse("home:home")
INBOX = reverse("home:inbox")


def text_of(client, address, **query) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200
    return answer.content.decode()


def address_of(version, page="model_version"):
    return reverse(
        f"home:{page}",
        args=[version.project.slug, version.model.name, version.number],
    )


def test_home_of_a_new_person_says_what_to_expect(world, client_of):
    text = text_of(client_of(world.outsider), HOME)

    assert "Nothing waits for your signature" in text
    assert "A program manager adds you to a project" in text


def test_nobody_signed_in_has_an_empty_inbox(rf):
    request = rf.get("/")
    request.user = AnonymousUser()

    assert context.portal(request)["inbox_count"] == 0


def test_home_shows_the_inbox_first_and_counts_it(world, client_of):
    approvals.request(world)

    text = text_of(client_of(world.validator), HOME)

    assert "Read and decide" in text
    assert text.index("Waits for you") < text.index("My projects")
    assert '1<span class="usa-sr-only"> waiting</span>' in text
    assert "1 in review" in text


def test_home_shows_the_champion_with_its_mission_cost(world, client_of):
    approvals.approved(world)

    text = text_of(client_of(world.program_manager), HOME)

    assert "champion: version 1" in text
    assert "<strong>900</strong> hours per 1,000 cases" in text
    assert "Open a project" in text


def test_home_shows_a_champion_that_was_never_measured(world, client_of):
    registry_factory.champion(world.project, world.data_scientist)

    assert "Not measured" in text_of(client_of(world.developer), HOME)


def test_home_counts_work_under_way_and_failed(world, client_of):
    training.failed_job(world.project, world.data_scientist)
    training.launched_job(world.project, world.data_scientist)

    text = text_of(client_of(world.program_manager), HOME)

    assert "1 training" in text
    assert "1 failed lately" in text


def test_home_cost_does_not_grow_with_projects(world, client_of):
    client = client_of(world.auditor)
    approvals.approved(world)
    text_of(client, HOME)
    with CaptureQueriesContext(connection) as few:
        text_of(client, HOME)
    for number in range(5):
        project_factory.project(f"other-{number}", by=world.program_manager)
    approvals.approved(world, "second")

    with CaptureQueriesContext(connection) as many:
        text_of(client, HOME)

    assert len(many) == len(few)


def test_home_pages_projects_by_key(world, client_of):
    for number in range(12):
        project_factory.project(f"other-{number}", by=world.program_manager)
    client = client_of(world.program_manager)

    first = client.get(HOME)
    second = text_of(client, HOME, after=first.context["page"].next_cursor)

    assert "Other-11" in first.content.decode()
    assert "Inspection" in second


def test_inbox_is_empty_until_it_is_my_turn(world, client_of):
    approvals.request(world)

    assert "Nothing waits for you" in text_of(
        client_of(world.operations_manager), INBOX
    )
    assert "Technical review" in text_of(client_of(world.validator), INBOX)


def test_inbox_tells_what_came_of_my_work(world, client_of):
    approvals.rejected(world)
    training.failed_job(world.project, world.data_scientist)
    dataset = dataset_factory.dataset(world.project, world.data_scientist, "broken")
    dataset_factory.fail(
        dataset_factory.running_version(dataset, world.data_scientist), "Broken.", []
    )
    version = registry_factory.model_version(world.project, world.data_scientist)
    validation.failed_report(version, world.data_scientist)

    text = text_of(client_of(world.data_scientist), INBOX)

    assert "A version was rejected" in text
    assert "The target damaged has one value only" in text
    for kind in ("Training job", "Dataset version", "Validation report"):
        assert kind in text


def test_inbox_cost_does_not_grow(world, client_of):
    client = client_of(world.validator)
    approvals.request(world)
    text_of(client, INBOX)
    with CaptureQueriesContext(connection) as few:
        text_of(client, INBOX)
    approvals.request(world, approvals.validated_version(world, "second"))
    approvals.request(world, approvals.validated_version(world, "third"))

    with CaptureQueriesContext(connection) as many:
        text = text_of(client, INBOX)

    assert text.count("Read and decide") == 3
    assert len(many) == len(few)


def test_roles_page_prints_the_table(world, client_of):
    text = text_of(client_of(world.outsider), reverse("home:roles"))

    assert "approval.sign_off" in text
    assert "Sees no project and can" in text


def test_project_page_of_an_empty_project_has_no_dead_end(world, client_of):
    project = project_factory.project(by=world.program_manager, slug="empty")

    text = text_of(client_of(world.program_manager), project.get_absolute_url())

    for sentence in (
        "No objective is stated",
        "No models yet",
        "No datasets yet",
        "No training yet",
        "State the objective",
    ):
        assert sentence in text


def test_project_page_shows_life_of_models_data_and_work(world, client_of):
    approvals.approved(world)

    text = text_of(client_of(world.auditor), world.project.get_absolute_url())

    assert "Life of the newest version" in text
    assert "First training" in text
    assert "Vera Validator" in text
    assert "A miss costs" in text


def test_project_page_escapes_what_people_wrote(world, client_of):
    projects.edit_project(
        project=world.project,
        values={"name": SCRIPT, "mission": SCRIPT},
        by=world.program_manager,
    )

    text = text_of(client_of(world.developer), world.project.get_absolute_url())
    front = text_of(client_of(world.developer), HOME)

    assert SCRIPT not in text + front
    assert "&lt;script&gt;" in text


def test_project_page_cost_does_not_grow(world, client_of):
    client = client_of(world.auditor)
    approvals.approved(world)
    text_of(client, world.project.get_absolute_url())
    with CaptureQueriesContext(connection) as few:
        text_of(client, world.project.get_absolute_url())
    approvals.approved(world, "second")
    training.failed_job(world.project, world.data_scientist)

    with CaptureQueriesContext(connection) as many:
        text_of(client, world.project.get_absolute_url())

    assert len(many) == len(few)


def test_version_page_before_any_report(world, client_of):
    version = registry_factory.model_version(world.project, world.data_scientist)

    text = text_of(client_of(world.data_scientist), address_of(version))

    assert "Not measured yet" in text
    assert "Nobody asked for its approval yet" in text
    assert "This version is not validated yet" in text
    assert "Nothing was written yet" in text
    assert "model.skops" in text


def test_version_page_puts_the_verdict_first(world, client_of):
    version = approvals.validated_version(world)

    text = text_of(client_of(world.data_scientist), address_of(version))

    assert text.index("verdict__title") < text.index("Files")
    assert "Ask for approval" in text
    assert "What 1,000 cases cost" in text


def test_version_page_of_the_champion_shows_who_approved(world, client_of):
    approval = approvals.approved(world)

    text = text_of(client_of(world.data_scientist), address_of(approval.version))

    assert "Champion" in text
    assert approval.get_absolute_url() in text
    assert "approved; its evidence no longer changes" in text


def test_version_page_of_a_rejected_version_shows_where_it_stopped(world, client_of):
    approval = approvals.rejected(world)

    text = text_of(client_of(world.auditor), address_of(approval.version))

    assert "steps__step--stopped" in text


def test_version_page_for_a_person_with_a_single_grant(world, client_of):
    version = registry_factory.model_version(world.project, world.data_scientist)
    access.grant(thing=version.model, person=world.outsider, by=world.program_manager)

    text = text_of(client_of(world.outsider), address_of(version))

    assert world.project.get_absolute_url() + '"' not in text


def test_version_page_cost_does_not_grow_with_reports(world, client_of):
    client = client_of(world.auditor)
    version = approvals.validated_version(world)
    text_of(client, address_of(version))
    with CaptureQueriesContext(connection) as few:
        text_of(client, address_of(version))
    for _ in range(3):
        validation.finished_report(version, world.validator)

    with CaptureQueriesContext(connection) as many:
        text_of(client, address_of(version))

    assert len(many) == len(few)


@pytest.mark.parametrize("person", ["developer", "auditor"])
def test_card_page_shows_the_whole_card(world, client_of, person):
    approval = approvals.approved(world)

    text = text_of(
        client_of(getattr(world, person)), address_of(approval.version, "card")
    )

    assert "<h2>Approval</h2>" in text
    assert "Petra Program" in text
    assert "?format=md" in text


def test_inbox_forgets_a_request_that_was_withdrawn(world, client_of):
    approval = approvals.request(world)
    approvals_actions.withdraw_request(approval=approval, by=world.data_scientist)

    assert "Nothing waits for you" in text_of(client_of(world.validator), INBOX)


def test_inbox_passes_on_to_the_next_signer(world, client_of):
    approval = approvals.request(world)
    approvals_actions.sign_off(
        approval=approval, comment="", password=PASSWORD, by=world.validator
    )

    assert "Nothing waits for you" in text_of(client_of(world.validator), INBOX)
    assert "Operational readiness" in text_of(
        client_of(world.operations_manager), INBOX
    )


def test_people_see_only_their_projects_on_home(world, client_of):
    stranger = people.person("stranger@agency.example", "Strange Person")

    assert "Inspection" not in text_of(client_of(stranger), HOME)


def test_run_page_leads_to_the_approval_of_its_version(
    client_of, world, data_scientist
):
    version = registry_factory.model_version(world.project, data_scientist)
    client = client_of(data_scientist)

    registered = client.get(f"/runs/{version.run_id}/approval-panel/").text
    page = client.get(version.run.get_absolute_url()).text

    assert "Ask for approval" in registered
    assert "disabled" in registered  # not validated yet, and the reason stands below
    assert f"/runs/{version.run_id}/approval-panel/" in page


def test_run_that_nobody_registered_asks_for_no_approval(
    client_of, world, data_scientist
):
    experiment = experiment_factory.experiment(world.project, data_scientist)
    run = experiment_factory.run(experiment, data_scientist)

    panel = client_of(data_scientist).get(f"/runs/{run.pk}/approval-panel/")

    assert panel.text.strip() == ""


def test_project_page_leads_to_experiments(world, client_of):
    project, by = world.project, world.data_scientist
    for number in range(5):
        experiment_factory.experiment(project, by, name=f"Question {number}")

    page = client_of(world.developer).get(project.get_absolute_url()).content.decode()

    assert "Question 4" in page
    assert "Question 0" not in page  # the newest four
    assert reverse("experiments:list", args=[project.slug]) in page
    assert reverse("experiments:list_runs", args=[project.slug]) in page
