from tests.factories import experiments as factory


def test_names_and_addresses(project, data_scientist):
    experiment = factory.experiment(project, data_scientist)
    run = factory.trained_run(experiment, data_scientist)

    assert str(run) == "inspection/First look · Run"
    assert run.get_absolute_url() == f"/runs/{run.pk}/"
    assert str(run.parameters.get(key="max_depth")) == "max_depth=4"
    assert str(run.metrics.get(key="test.recall")) == "test.recall[0]=0.7"


def test_artifact_knows_its_name_and_whether_it_holds_data(project, data_scientist):
    run = factory.run(
        factory.experiment(project, data_scientist),
        data_scientist,
        artifacts=[factory.artifact("data/Test.PARQUET"), factory.artifact("m.onnx")],
    )

    table, model = run.artifacts.order_by("path")

    assert (str(table), table.file_name) == ("data/Test.PARQUET", "Test.PARQUET")
    assert (table.holds_data, model.holds_data) == (True, False)
