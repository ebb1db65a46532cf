"""Whatever a client sends to the registry, no answer is a server error."""

from django.utils.encoding import force_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.mlflow_api.urls import _ENDPOINTS
from tests.mlflow_api.test_errors import API, JSON, NOT_RETRIED
from tests.mlflow_api.test_registry import churn, run

__all__ = ["churn", "run"]  # fixtures

REGISTRY = sorted(
    name
    for name in _ENDPOINTS
    if name.startswith(("registered-models", "model-versions"))
)
WORDS = st.sampled_from(
    ["churn", "1", "2", "champion", "latest", "v1", "Production", "staging", "a/b", ":"]
)
SOURCES = st.sampled_from(
    [
        "models:/churn/1",
        "models:/churn/x",
        "runs:/",
        "mlflow-artifacts:/registry",
        "%2e",
    ]
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("name", "new_name", "version", "alias", "stage", "key", "value"),
            WORDS | JSON,
        ),
        "source": SOURCES | JSON,
        **dict.fromkeys(("run_id", "model_id", "description", "run_link"), JSON),
        **dict.fromkeys(("tags", "stages", "order_by", "filter", "path"), JSON),
        **dict.fromkeys(("max_results", "page_token"), JSON),
        "archive_existing_versions": st.booleans() | JSON,
    },
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(REGISTRY),
    body=FIELDS,
    method=st.sampled_from(["post", "patch", "delete"]),
    knows=st.booleans(),
)
def test_no_body_brings_a_server_error(mlflow, churn, name, body, method, knows):
    if knows:
        body = {"version": "1"} | body | {"name": "churn"}
    path = f"{API}{name}"
    data = {
        key: force_bytes(str(value), errors="replace") for key, value in body.items()
    }

    sent = getattr(mlflow.client, method)(path, body, content_type="application/json")
    gotten = mlflow.client.get(path, data)

    for answer in (sent, gotten):
        assert answer.status_code in NOT_RETRIED, answer.content
        assert answer["Content-Type"] == "application/json"
