"""The table of runs: filtered, sorted, folded, with the columns that people chose."""

import csv
import re
from urllib.parse import parse_qs, urlencode, urlparse
from uuid import UUID

import pytest
from django.urls import reverse

from apps.audit.models import AuditEvent
from apps.experiments import actions, views_runs
from apps.experiments.actions import LogBatch, LoggedPoint, MetricPoint, RunStart
from apps.experiments.actions.bulk import MOST_RUNS
from apps.experiments.models import ColumnChoice
from apps.experiments.search.view import View
from tests.costs import queries_of
from tests.factories import experiments as factory

PARENT = "mlflow.parentRunId"


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def experiment(project, data_scientist):
    return factory.experiment(project, data_scientist)


def table(experiment, **asked) -> str:
    query = urlencode(asked, doseq=True)
    return f"{experiment.get_absolute_url()}?{query}"


def logged_run(experiment, by, name="run", *, parent=None, **values):
    """A run as a client logs it; numbers are metrics, texts parameters."""
    tags = {PARENT: parent.pk.hex} if parent else {}
    start = RunStart(name=name, tags=tags)
    run = actions.start_run(experiment=experiment, start=start, by=by)
    metrics = [
        LoggedPoint(key, 1, 0, value)
        for key, value in values.items()
        if isinstance(value, float)
    ]
    parameters = [(k, value) for k, value in values.items() if isinstance(value, str)]
    batch = LogBatch(metrics=metrics, parameters=parameters)
    return actions.log_batch(run=run, batch=batch, by=by)


def names(response) -> list[str]:
    return [line.run.name for line in response.context["table"].lines]


def test_filters_and_sorts_as_clients_do(client, experiment, data_scientist):
    for name, accuracy, model in (
        ("low", 0.2, "tree"),
        ("high", 0.9, "tree"),
        ("other", 0.95, "forest"),
    ):
        logged_run(experiment, data_scientist, name, accuracy=accuracy, model=model)

    page = client.get(
        table(
            experiment,
            filter="params.model = 'tree' AND metrics.accuracy < 1",
            order_by=["metrics.accuracy DESC", "run_name"],
        )
    )

    assert names(page) == ["high", "low"]
    assert 'aria-sort="descending"' in page.text
    assert 'value="metrics.accuracy ASC"' in page.text


def test_a_filter_that_cannot_be_read_is_shown_with_its_place(client, experiment):
    page = client.get(table(experiment, filter="metrics.a > 'x'"))

    assert page.status_code == 422
    assert "numbers stand without quotes" in page.text
    assert "At character 13:" in page.text
    assert "<mark>&#x27;x&#x27;</mark>" in page.text


@pytest.mark.parametrize(
    "asked", [{"order_by": "nothing"}, {"token": "none"}, {"filter": "a ~ 1"}]
)
def test_what_cannot_be_read_is_told(client, experiment, data_scientist, asked):
    factory.run(experiment, data_scientist)

    page = client.get(table(experiment, **asked))

    assert page.status_code == 422
    assert "Invalid" in page.text


def test_unknown_views_and_columns_do_no_harm(client, experiment, data_scientist):
    factory.run(experiment, data_scientist)

    page = client.get(
        table(experiment, view="x", column=["x y", "run_name"], run="x", open="x")
    )

    assert names(page) == ["Run"]
    assert page.context["asked"].view is View.ACTIVE


def test_shows_what_is_put_aside_when_asked(client, experiment, data_scientist):
    kept = logged_run(experiment, data_scientist, "kept")
    gone = logged_run(experiment, data_scientist, "gone")
    actions.delete_run(run=gone, by=data_scientist)

    assert names(client.get(table(experiment))) == [kept.name]
    assert names(client.get(table(experiment, view="DELETED_ONLY"))) == ["gone"]
    assert set(names(client.get(table(experiment, view="ALL")))) == {"kept", "gone"}


def test_pages_by_key_and_keeps_the_view(client, experiment, data_scientist):
    for number in range(52):
        logged_run(experiment, data_scientist, f"run {number:02}")
    order = ["run_name ASC"]
    first = client.get(table(experiment, order_by=order))

    token = first.context["table"].next
    second = client.get(table(experiment, order_by=order, token=token))

    assert names(second) == ["run 50", "run 51"]
    assert "Next page" in first.text
    assert "First page" in second.text


def test_columns_are_remembered_for_one_person(
    client, client_of, validator, experiment, data_scientist
):
    logged_run(experiment, data_scientist, loss=0.5, lr="0.1")
    address = reverse("experiments:choose_columns", args=[experiment.pk])
    chosen = ["duration", "params.lr", "nonsense here", "params.lr"]

    answer = client.post(address, {"column": chosen, "query": "nested=1&token=x"})

    asked = parse_qs(urlparse(answer.url).query)
    assert asked == {"nested": ["1"], "column": ["duration", "params.lr"]}
    page = client.get(table(experiment))
    titles = [heading.column.title for heading in page.context["table"].headings]
    assert titles == ["Duration", "lr"]
    assert 'name="column" value="params.lr"' in page.text
    assert ColumnChoice.objects.get().owner_id == data_scientist.pk
    other = client_of(validator).get(table(experiment))
    assert len(other.context["table"].headings) == 6


def test_columns_of_an_address_come_before_those_of_before(
    client, experiment, data_scientist
):
    logged_run(experiment, data_scientist, loss=0.5, lr="0.1")
    client.post(
        reverse("experiments:choose_columns", args=[experiment.pk]),
        {"column": ["duration"]},
    )

    page = client.get(table(experiment, column=["metrics.loss", "tags.mlflow.runName"]))

    (line,) = page.context["table"].lines
    assert [cell for _, cell in line.cells][1] == "run"
    assert line.cells[0][1].value == 0.5


def test_what_is_no_number_is_named(client, experiment, data_scientist):
    for value in (float("nan"), float("inf"), 1.0):
        logged_run(experiment, data_scientist, loss=value)

    page = client.get(table(experiment, column="metrics.loss")).text

    assert re.search(r"<td[^>]*>\s*nan", page)
    assert re.search(r"<td[^>]*>\s*inf", page)


def test_nested_runs_are_folded_under_their_parent(client, experiment, data_scientist):
    parent = logged_run(experiment, data_scientist, "parent")
    for name in ("first", "second"):
        logged_run(experiment, data_scientist, name, parent=parent, loss=1.0)

    folded = client.get(table(experiment, nested="1"))
    (line,) = folded.context["table"].lines
    unfolded = client.get(f"{experiment.get_absolute_url()}{line.toggle}")

    assert (line.run.name, line.nested) == ("parent", 2)
    assert "Show\n" in folded.text
    assert names(unfolded) == ["parent", "first", "second"]
    assert [one.depth for one in unfolded.context["table"].lines] == [0, 1, 1]


def test_a_nested_run_of_a_nested_run_is_unfolded_too(
    client, experiment, data_scientist
):
    top = logged_run(experiment, data_scientist, "top")
    middle = logged_run(experiment, data_scientist, "middle", parent=top)
    logged_run(experiment, data_scientist, "low", parent=middle)

    opened = [top.pk.hex, middle.pk.hex]
    lines = (
        client.get(table(experiment, nested="1", open=opened)).context["table"].lines
    )

    assert [(line.run.name, line.depth) for line in lines] == [
        ("top", 0),
        ("middle", 1),
        ("low", 2),
    ]


def test_a_run_whose_parent_is_not_listed_stands_at_the_top(
    client, project, experiment, data_scientist
):
    other = factory.experiment(project, data_scientist, "Other")
    away = logged_run(other, data_scientist, "away")
    gone = logged_run(experiment, data_scientist, "gone")
    parent = logged_run(experiment, data_scientist, "parent")
    logged_run(experiment, data_scientist, "of away", parent=away)
    logged_run(experiment, data_scientist, "of gone", parent=gone)
    logged_run(experiment, data_scientist, "of parent", parent=parent, loss=1.0)
    actions.delete_run(run=gone, by=data_scientist)
    for name, claimed in (("of nobody", "x\u2028"), ("of an id", "0" * 32)):
        start = RunStart(name=name, tags={PARENT: claimed})
        actions.start_run(experiment=experiment, start=start, by=data_scientist)
    itself = logged_run(experiment, data_scientist, "of itself")
    actions.set_run_tags(run=itself, tags={PARENT: itself.pk.hex}, by=data_scientist)

    listed = names(client.get(table(experiment, nested="1")))
    filtered = names(
        client.get(table(experiment, nested="1", filter="metrics.loss > 0"))
    )
    both = reverse("experiments:list_runs", args=[project.slug])
    together = client.get(f"{both}?nested=1&open={away.pk.hex}")

    assert sorted(listed) == [
        *("of an id", "of away", "of gone", "of itself", "of nobody", "parent"),
    ]
    assert filtered == ["of parent"]
    assert [
        line.depth
        for line in together.context["table"].lines
        if line.run.name == "of away"
    ] == [1]


def test_costs_the_same_however_many(client, experiment, data_scientist):
    def parent_with_children(count):
        parent = factory.trained_run(experiment, data_scientist)
        run = logged_run(experiment, data_scientist, loss=0.1, lr="1")
        for _ in range(count):
            logged_run(experiment, data_scientist, parent=run, loss=0.1)
        return parent, run

    parent, run = parent_with_children(1)
    asked = {"nested": "1", "order_by": "metrics.loss DESC"}
    few = queries_of(client, table(experiment, **asked, open=run.pk.hex, run=parent.pk))
    runs = [parent_with_children(3) for _ in range(4)]
    opened = [one.pk.hex for _, one in runs]
    chosen = [one.pk for one, _ in runs]

    many = queries_of(client, table(experiment, **asked, open=opened, run=chosen))

    assert many == few
    assert few <= 30


def test_runs_of_several_experiments(client, project, experiment, data_scientist):
    other = factory.experiment(project, data_scientist, "Other")
    here = factory.run(experiment, data_scientist, name="Forest")
    factory.run(other, data_scientist, name="Boosting")
    address = reverse("experiments:list_runs", args=[project.slug])

    both = client.get(address)
    one = client.get(address, {"experiment": other.pk, "run": [here.pk, "nonsense"]})

    assert set(names(both)) == {"Forest", "Boosting"}
    assert names(one) == ["Boosting"]
    assert list(one.context["elsewhere"]) == [here]
    assert re.search(rf'value="{here.pk.hex}"[^>]*checked', one.text)


def test_says_when_there_is_nothing(client, experiment, data_scientist):
    assert "No runs here" in client.get(table(experiment)).text
    factory.run(experiment, data_scientist)

    page = client.get(table(experiment, filter="run_name = 'x'"))

    assert "No run meets this filter" in page.text


def suggested(client, experiment, text, **asked) -> list[str]:
    address = reverse("experiments:suggest", args=[experiment.pk])
    page = client.get(address, {"filter": text, **asked})
    return re.findall(r"<code>(.*?)</code>", page.text)


def test_suggests_what_could_come_next(client, experiment, data_scientist):
    run = logged_run(experiment, data_scientist, loss=0.1, model="it's")
    actions.set_run_tags(run=run, tags={"my tag": "1"}, by=data_scientist)

    assert suggested(client, experiment, "metr") == ["metrics.loss"]
    assert suggested(client, experiment, "tags.my") == ["tags.`my tag`"]
    assert "ILIKE" in suggested(client, experiment, "params.model ")
    assert suggested(client, experiment, "params.model = ") == [
        "&#x27;it&#x27;&#x27;s&#x27;"
    ]
    assert "(&#x27;FAILED&#x27;)" not in suggested(client, experiment, "run_id IN ")
    assert suggested(client, experiment, "status = 'FI") == ["&#x27;FINISHED&#x27;"]
    assert suggested(client, experiment, "run_name = ") == ["&#x27;run&#x27;"]
    assert suggested(client, experiment, "metrics.loss > 1 a") == ["AND"]
    assert suggested(client, experiment, "x.y = ") == []
    assert suggested(client, experiment, "metrics.loss > ") == []
    assert suggested(client, experiment, "a" * 3000) == []


def test_a_suggestion_takes_the_place_of_what_was_begun(
    client, experiment, data_scientist
):
    logged_run(experiment, data_scientist, loss=0.1)
    address = reverse("experiments:suggest", args=[experiment.pk])

    page = client.get(address, {"filter": "met > 1", "at": "3"}).text

    assert 'data-filter="metrics.loss &gt; 1"' in page
    assert 'data-at="13"' in page


def test_suggests_nothing_of_other_projects(client, world, project):
    made = factory.experiment(project, world.data_scientist, "Theirs")
    logged_run(made, world.data_scientist, secret=0.1)
    mine = factory.experiment(project, world.data_scientist, "Mine")
    address = reverse("experiments:suggest_in_project", args=[project.slug])

    assert suggested(client, mine, "metrics.") == []
    assert "metrics.secret" in client.get(address, {"filter": "metrics."}).text
    only = client.get(address, {"filter": "metrics.", "experiment": mine.pk})
    assert "metrics.secret" not in only.text


def test_download_runs_is_guarded(client, project, experiment, data_scientist):
    logged_run(experiment, data_scientist, "=1+1", loss=0.5, lr="-2")
    factory.run(experiment, data_scientist, metrics=[MetricPoint("loss", 2.0)])
    asked = {"column": ["metrics.loss", "params.lr", "start_time"]}
    asked["order_by"] = "metrics.loss ASC"

    for name, key in (
        ("download_runs", experiment.pk),
        ("download_project_runs", project.slug),
    ):
        answer = client.get(reverse(f"experiments:{name}", args=[key]), asked)
        heads, first, second = csv.reader(answer.text.splitlines())

        assert answer["Content-Disposition"] == 'attachment; filename="runs.csv"'
        assert heads[2:] == ["run_name", "metrics.loss", "params.lr", "start_time"]
        assert first[2:5] == ["'=1+1", "0.5", "'-2"]
        assert second[2:5] == ["Run", "2.0", ""]
    events = AuditEvent.objects.filter(type="run.table_downloaded").order_by("pk")
    assert [event.target_id for event in events] == [
        str(experiment.pk),
        str(project.pk),
    ]
    assert {event.changes["rows"] for event in events} == {2}
    assert "order_by=metrics.loss" in events[0].changes["query"]


def test_download_runs_says_what_cannot_be_read(client, experiment):
    address = reverse("experiments:download_runs", args=[experiment.pk])

    assert client.get(address, {"filter": "nothing"}).status_code == 422
    assert not AuditEvent.objects.filter(type="run.table_downloaded").exists()


def test_as_many_chosen_runs_as_can_be_changed_fit_an_address(
    client, experiment, data_scientist
):
    run = logged_run(experiment, data_scientist)

    page = client.get(table(experiment)).text

    (value,) = re.findall(r'name="run"\s+value="([^"]+)"', page)
    assert value == run.pk.hex
    # What servers read of an address, with room for a filter and forty columns.
    assert len(urlencode({"run": value})) * MOST_RUNS < 8190 / 2


def test_what_does_not_stay_chosen_is_told(client, experiment, data_scientist):
    runs = [logged_run(experiment, data_scientist)]
    others = [UUID(int=number).hex for number in range(1, MOST_RUNS + 1)]

    answer = client.get(table(experiment, run=[*others, runs[0].pk.hex]))

    assert "You chose 101 runs. The first 100 stay chosen" in answer.text
    assert runs[0].pk not in answer.context["chosen"]


def test_few_of_many_experiments_are_offered_and_the_chosen_ones_first(
    client, project, data_scientist, monkeypatch
):
    monkeypatch.setattr(views_runs, "MOST_OFFERED", 2)
    made = [factory.experiment(project, data_scientist, name) for name in "abc"]
    address = reverse("experiments:list_runs", args=[project.slug])

    every = client.get(address)
    chosen = client.get(address, {"experiment": made[2].pk})

    assert [name for _, name, _ in every.context["experiments"]] == ["a", "b"]
    assert "The first 2 by name." in every.text
    assert [
        (name, is_chosen) for _, name, is_chosen in chosen.context["experiments"]
    ] == [
        ("c", True),
        ("a", False),
    ]


def test_an_empty_experiment_shows_how_a_script_logs(
    client, client_of, auditor, experiment, data_scientist
):
    snippet = f'set_experiment(experiment_id="{experiment.pk.hex}")'

    empty = client.get(table(experiment)).text
    read = client_of(auditor).get(table(experiment)).text
    logged_run(experiment, data_scientist)

    assert snippet in empty
    assert snippet not in read
    assert snippet not in client.get(table(experiment)).text
