"""Real origins for the versions of models that MLflow's registry tests make up.

These tests register files that nobody stored, of runs that never ran. The portal takes
only files that it keeps, so each source that a test makes up becomes a logged model of
the portal's, and each run a run; what the tests read holds their own words again.
"""

import json
from typing import Any

import requests

TAKEN_AS_THEY_ARE = ("models:/", "mlflow-artifacts:")
_API = "/api/2.0/mlflow"
_send = requests.Session.request


class Origins:
    """Stands between the client and one project while a test runs."""

    def __init__(self, url: str) -> None:
        self.api = url + _API
        self.files = f"{url}/api/2.0/mlflow-artifacts/artifacts/"
        self.real: dict[str, str] = {}
        self.models: dict[tuple[str, str], str] = {}
        self.words: dict[str, str] = {}

    def request(
        self, session: requests.Session, method: str, url: str, **sent: Any
    ) -> requests.Response:
        """Send what the test asks for, with real origins, and answer in its words."""
        body = sent.get("json")
        if url.endswith("/model-versions/create") and isinstance(body, dict):
            sent["json"] = body | self._origins(body)
        filter_ = (sent.get("params") or {}).get("filter")
        if isinstance(filter_, str):
            sent["params"] = sent["params"] | {"filter": self._asked(filter_)}
        response = _send(session, method, url, **sent)
        if "json" in response.headers.get("Content-Type", ""):
            response._content = self._told(response.text).encode()
        return response

    def _origins(self, body: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        source, run = body.get("source"), body.get("run_id")
        if run:
            found["run_id"] = self.real.get(run) or self._run(run)
        if source and not source.startswith(TAKEN_AS_THEY_ARE):
            found["source"] = self._model(source, found.get("run_id", ""))
        return found

    def _run(self, made_up: str) -> str:
        run = self._post("runs/create", {"experiment_id": "0"})["run"]
        return self._learn(made_up, run["info"]["run_id"])

    def _model(self, made_up: str, run: str) -> str:
        """Let the run save a model, as none may be registered with another's."""
        if known := self.models.get((made_up, run)):
            return known
        asked = {"experiment_id": "0", "source_run_id": run}
        info = self._post("logged-models", asked)["model"]["info"]
        place = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
        requests.put(
            f"{self.files}{place}/model.txt", data=made_up.encode(), timeout=60
        )
        ready = {"model_id": info["model_id"], "status": "LOGGED_MODEL_READY"}
        self._post(f"logged-models/{info['model_id']}", ready, "PATCH")
        self.models[made_up, run] = f"models:/{info['model_id']}"
        return self._learn(made_up, self.models[made_up, run])

    def _post(self, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        url = f"{self.api}/{path}"
        with requests.Session() as session:
            answer = _send(session, method, url, json=body)
        answer.raise_for_status()
        return answer.json()

    def _learn(self, made_up: str, real: str) -> str:
        self.real[made_up], self.words[real] = real, made_up
        return real

    def _asked(self, filter_: str) -> str:
        for made_up, real in self.real.items():
            filter_ = filter_.replace(f"'{made_up}'", f"'{real}'")
        return filter_

    def _told(self, text: str) -> str:
        for real, made_up in self.words.items():
            text = text.replace(json.dumps(real), json.dumps(made_up))
        return text
