"""What linters cannot say about the house, asked of its source."""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from apps.access.permissions import Permission
from apps.audit.event_types import EventType
from apps.notices.models import NoticeKind

ROOT = Path(settings.BASE_DIR)
APPS = sorted(
    path
    for path in (ROOT / "apps").rglob("*.py")
    if "migrations" not in path.parts and path.name != "__init__.py"
)
ACTION_FILES = [
    path for path in APPS if path.name == "actions.py" or path.parent.name == "actions"
]
PYTHON = [
    path
    for folder in ("apps", "engine", "mlops_portal", "dev", "tests", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MAX_MODULE_LINES = 500
MAX_TEMPLATE_LINES = 250
MAX_VIEW_LINES = 40
MAX_TASK_LINES = 20

# Actions that nobody asks for, each with the reason why there is no rule or no actor.
WITHOUT_RULE = {
    "accounts.confirm_password": "changes nothing; the action it serves has the rule",
    "accounts.create_first_administrator": "there is nobody yet who could ask",
    "accounts.record_sign_in_failure": "nobody has signed in who could be asked",
    "accounts.service_account": "reads one row",
}
WITHOUT_ACTOR = {
    "accounts.create_first_administrator",
    "accounts.record_sign_in_failure",
    "accounts.service_account",
}
# Actions whose rule bears another name, since one question answers for both.
SHARED_RULES = {
    "accounts.record_password_change": "can_sign_in",
    "accounts.record_sign_in": "can_sign_in",
    "audit.record_failure": "can_record_refusal",
}
# Actions whose transaction, rule and event are those of an action of a lower app.
DELEGATED = {
    "datasets.finish_diff": "finish_job",
    "datasets.finish_ingest": "finish_job",
    "datasets.finish_sealed_part": "finish_job",
    "experiments.put_experiment_aside": "delete_experiment",
    "exports.finish_export": "finish_job",
    "training.finish_code": "finish_job",
    "training.finish_regeneration": "finish_job",
    "training.finish_training": "finish_job",
    "validation.finish_report": "finish_job",
}
# Actions that change nothing an auditor asks about.
WITHOUT_EVENT = {
    "accounts.confirm_password": "a wrong password raises; the refusal is recorded",
    "accounts.service_account": "reads one row",
    "approvals.remind_of_emergency": "as approvals.remind_people",
    "approvals.remind_of_waiver": "as approvals.remind_people",
    "approvals.remind_people": "tells people how things stand; nothing changes",
    "validation.remind_of_finding": "as approvals.remind_people",
    "notices.deliver": "its own log tells of every try",
    "notices.mail_notices": "repeats what an action told; nothing changes",
    "datasets.append_chunk": "counts nothing yet; the whole file is what is recorded",
    "jobs.resend_job": "repeats a message; the job stays queued",
}

# Templates with their own style sheet inside, each with the reason.
STANDS_ALONE = {
    "home/card_document.html": "a card is a file, read without the portal",
    "validation/report_file.html": "as the card",
}

# Longer modules, each with the reason why it is not parted.
ONE_FILE = {"apps/audit/verifier/auditverify.py": "an auditor carries it away alone"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def calls_in(node: ast.AST) -> Iterator[ast.Call]:
    return (found for found in ast.walk(node) if isinstance(found, ast.Call))


def called_name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def nodes_of(paths: list[Path]) -> Iterator[tuple[Path, ast.AST]]:
    """Each node of the files, beside its file."""
    return ((path, node) for path in paths for node in ast.walk(tree_of(path)))


def calls_of(paths: list[Path]) -> Iterator[tuple[Path, ast.Call]]:
    return ((path, call) for path in paths for call in calls_in(tree_of(path)))


def place(path: Path, node: ast.AST) -> str:
    return f"{name_of(path)}:{node.lineno} {ast.unparse(node)[:80]}"


def lines_in(path: Path) -> int:
    return len(path.read_text().splitlines())


@cache
def functions_of(app: str) -> dict[str, ast.FunctionDef]:
    """All functions in the actions of one app, by name."""
    return {
        node.name: node
        for path in ACTION_FILES
        if path.relative_to(ROOT / "apps").parts[0] == app
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef)
    }


def exported(app: str) -> set[str]:
    """The names that an app offers as actions."""
    package = ROOT / "apps" / app / "actions" / "__init__.py"
    if not package.exists():
        return {name for name in functions_of(app) if not name.startswith("_")}
    return {
        alias.asname or alias.name
        for node in tree_of(package).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


ACTIONS = {
    f"{app}.{name}": functions_of(app)[name]
    for app in sorted({path.relative_to(ROOT / "apps").parts[0] for path in APPS})
    for name in sorted(exported(app))
    if name in functions_of(app)
}


def reaches(app: str, function: ast.FunctionDef, wanted: set[str]) -> bool:
    """Say whether a function calls one of `wanted`, itself or through its own app."""
    seen, waiting = set(), [function]
    while waiting:
        for call in calls_in(waiting.pop()):
            name = called_name(call)
            if name in wanted:
                return True
            if name in functions_of(app) and name not in seen:
                seen.add(name)
                waiting.append(functions_of(app)[name])
    return False


def rules_asked(function: ast.FunctionDef) -> set[str]:
    """The rules whose answer the function ensures."""
    return {
        called_name(inner)
        for call in calls_in(function)
        if called_name(call) == "ensure" and call.args
        for inner in calls_in(call.args[0])
    }


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_takes_keywords_and_who_asks(action):
    arguments = ACTIONS[action].args
    names = {argument.arg: argument.annotation for argument in arguments.kwonlyargs}

    assert not arguments.args, "an action takes keyword arguments only"
    assert not arguments.posonlyargs
    assert not arguments.vararg
    if action not in WITHOUT_ACTOR:
        assert "by" in names, "an action says who asks"
        assert ast.unparse(names["by"]) == "User", "by is a User, never None"


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_asks_the_rule_of_its_name(action):
    app, _, name = action.partition(".")
    if action in {*WITHOUT_RULE, *DELEGATED}:
        return
    rule = SHARED_RULES.get(action, f"can_{name}")
    rules = import_module(f"apps.{app}.rules")

    assert rule in rules_asked(ACTIONS[action]), f"no ensure(rules.{rule}(…))"
    assert callable(getattr(rules, rule, None)), f"no rule {rule}"


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_one_transaction_with_its_event(action):
    app = action.partition(".")[0]
    if action in {*WITHOUT_EVENT, *DELEGATED}:
        return
    function = ACTIONS[action]
    decorated = {ast.unparse(decorator) for decorator in function.decorator_list}

    if reaches(app, function, {"record_independent"}):  # in a transaction of its own
        return
    assert "transaction.atomic" in decorated or reaches(app, function, {"atomic"})
    assert reaches(app, function, {"record", "record_many"}), "no event is recorded"


@pytest.mark.parametrize("action", DELEGATED)
def test_an_action_that_delegates_hands_over_who_asks(action):
    handed = [
        {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        for call in calls_in(ACTIONS[action])
        if called_name(call) == DELEGATED[action]
    ]

    assert [keywords["by"] for keywords in handed] == ["by"]


def test_the_exceptions_above_are_still_needed():
    named = {
        *WITHOUT_RULE,
        *WITHOUT_ACTOR,
        *SHARED_RULES,
        *DELEGATED,
        *WITHOUT_EVENT,
    }

    assert not named - set(ACTIONS)


def is_write(call: ast.Call) -> bool:
    """Say whether this looks like a write of rows, not of a digest or a file."""
    if not isinstance(call.func, ast.Attribute):
        return called_name(call) in {"assign_perm", "remove_perm"}
    match call.func.attr:
        case "bulk_create" | "bulk_update" | "get_or_create" | "update_or_create":
            return True
        case "create" | "update":
            return bool(call.keywords) and not call.args
        case "save" | "delete":
            return not call.args
    return False


def test_rows_are_written_by_actions_and_models_only():
    writers = {"actions.py", "models.py", "promotion.py", "record.py"}
    writers |= {"sealer.py", "outbox.py"}  # what seals and anchors, nobody's action
    others = [
        path
        for path in APPS
        if path.name not in writers
        and path not in ACTION_FILES
        and path.parent.name != "models"
    ]

    found = [place(path, call) for path, call in calls_of(others) if is_write(call)]

    assert not found


INTERFACES = [
    path for path in APPS if re.match(r"(views|api|forms)\w*\.py$", path.name)
]


def test_pages_and_api_reach_rows_through_visible_to_only():
    managers = [
        place(path, node)
        for path, node in nodes_of(INTERFACES)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr in {"objects", "_default_manager", "_base_manager"}
        and node.attr != "visible_to"
    ]
    bare = [
        place(path, call)
        for path, call in calls_of(INTERFACES)
        if called_name(call) in {"get_object_or_404", "get_list_or_404"}
        and isinstance(call.args[0], ast.Name)
        and call.args[0].id[0].isupper()
    ]

    assert not managers + bare


def test_work_is_sent_by_the_queue_only():
    others = [path for path in APPS if name_of(path) != "apps/core/queue.py"]
    senders = {"delay", "apply_async", "send_task"}

    sent = [
        place(path, call)
        for path, call in calls_of(others)
        if called_name(call) in senders
    ]

    assert not sent


def test_apps_know_only_the_spec_of_the_engine():
    imported = [
        place(path, node)
        for path, node in nodes_of(APPS)
        if (isinstance(node, ast.ImportFrom) and (node.module or "") != "engine.spec")
        or isinstance(node, ast.Import)
        if re.search(r"\bengine\b", ast.unparse(node).partition(" import ")[0])
    ]

    assert not imported


def attributes_of(owner: str, paths: list[Path]) -> set[str]:
    return {
        node.attr
        for path in paths
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == owner
    }


def test_every_event_type_is_recorded_by_some_action():
    promotion = ROOT / "apps" / "registry" / "promotion.py"
    # Kinds of jobs and of what can be hidden name the events of shared actions.
    kinds = [path for path in APPS if "models" in (path.stem, path.parent.name)]

    unused = {event.name for event in EventType} - attributes_of(
        "EventType", [*ACTION_FILES, promotion, *kinds]
    )

    assert not unused


def test_people_are_told_of_every_kind_by_some_action():
    unused = {kind.name for kind in NoticeKind} - attributes_of(
        "NoticeKind", ACTION_FILES
    )

    assert not unused


def test_every_permission_is_asked_for():
    askers = [path for path in APPS if path.parent.name != "access"]

    unused = {one.name for one in Permission} - attributes_of("Permission", askers)

    assert not unused


def test_a_module_can_be_read_in_one_sitting():
    long = {name_of(path) for path in PYTHON if lines_in(path) > MAX_MODULE_LINES}

    assert long == set(ONE_FILE)


def test_a_template_can_be_read_in_one_sitting():
    long = [name_of(path) for path in TEMPLATES if lines_in(path) > MAX_TEMPLATE_LINES]

    assert not long


@pytest.mark.parametrize(
    ("file_name", "longest"),
    [("views", MAX_VIEW_LINES), ("api", MAX_VIEW_LINES), ("tasks", MAX_TASK_LINES)],
)
def test_views_and_tasks_only_translate(file_name, longest):
    long = [
        f"{name_of(path)}: {node.name}"
        for path in APPS
        if path.name.startswith(file_name)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef)
        if node.end_lineno - node.lineno >= longest
    ]

    assert not long


def faults_of(path: Path) -> list[str]:
    """What a template must not have: values that are not escaped, code and style."""
    text = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.S)
    html = re.sub(r"{[#%].*?[#%]}", "", text, flags=re.S)
    if name_of(path).removeprefix("templates/") in STANDS_ALONE:
        html = html.replace("<style>{{ style }}</style>", "")
    found = [
        re.search(r"\|\s*safe\b|\|\s*safeseq\b|autoescape off", text),
        re.search(r"<style\b|\sstyle=|\son[a-z]+=\"|javascript:", html),
        re.search(r"<script(?![^>]*\bsrc=)", html),
    ]
    return [f"{name_of(path)}: {fault[0]}" for fault in found if fault]


def test_templates_escape_and_have_nothing_inline():
    assert not [fault for path in TEMPLATES for fault in faults_of(path)]


def own_models() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models()
        if model.__module__.startswith("apps.") and not model._meta.abstract
    ]


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model.__name__)
def test_a_model_explains_itself(model):
    assert not inspect.getdoc(model).startswith(f"{model.__name__}(")
    assert model.__str__ is not models.Model.__str__
    assert not model._meta.ordering, "ordering belongs to the query"


def test_governed_rows_are_never_deleted_with_others():
    cascading = [
        f"{model.__name__}.{field.name}"
        for model in own_models()
        for field in model._meta.get_fields()
        if getattr(field, "remote_field", None)
        and getattr(field.remote_field, "on_delete", None) is models.CASCADE
    ]

    assert not cascading
