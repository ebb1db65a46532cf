from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from psycopg import errors, sql

from apps.audit import guards, powers
from apps.audit.grants import TRAIL
from apps.audit.models import AuditEvent, Disclosure
from apps.audit.protection import examine, gaps_of_all_roles, protection_status
from tests.audit.roles import acting_as, session_of
from tests.audit.sealing import connect, happen
from tests.audit.test_sealer import COLUMNS


def copy(added: str = "", value: str = "") -> str:
    """Word the insertion of an event like one there is, with a column more."""
    return (
        f"INSERT INTO audit_auditevent ({COLUMNS}{added and ', '}{added})"  # noqa: S608
        f" {'OVERRIDING SYSTEM VALUE' if added == 'id' else ''}"
        f" SELECT gen_random_uuid(), {COLUMNS.partition(',')[2]}{value and ', '}{value}"
        " FROM audit_auditevent LIMIT 1"
    )


def refused(session, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        session.execute(statement)


TABLES = list(guards.APPEND_ONLY.items())


def test_the_application_adds_events(roles):
    happen(1)

    with session_of(roles["app"]) as session:
        session.execute(copy())

    assert AuditEvent.objects.count() == 2


@pytest.mark.parametrize(("column", "value"), [("id", "77"), ("xid", "'3'::xid8")])
def test_the_application_cannot_choose_number_or_transaction(roles, column, value):
    happen(1)

    with session_of(roles["app"]) as session:
        refused(session, copy(column, value))


@pytest.mark.parametrize("kind", ["app", "sealer", "auditor"])
def test_no_process_changes_what_is_recorded(roles, kind):
    happen(1)

    with session_of(roles[kind]) as session:
        session.execute("SET default_transaction_read_only = off")
        for table, column in TABLES:
            refused(session, f"UPDATE {table} SET {column} = {column}")  # noqa: S608
            refused(session, f"DELETE FROM {table}")  # noqa: S608
            refused(session, f"TRUNCATE {table}")
            refused(session, f"DROP TABLE {table}")
            refused(session, f"ALTER TABLE {table} DISABLE TRIGGER USER")
            refused(session, f"ALTER TABLE {table} DISABLE TRIGGER audit_append_only")
            refused(session, f"DROP TRIGGER audit_append_only ON {table}")
            refused(session, f"CREATE RULE r AS ON INSERT TO {table} DO NOTHING")
        refused(session, "SET session_replication_role = replica")
        refused(session, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        refused(session, "SELECT setval('audit_auditevent_id_seq', 1)")
        refused(session, "CREATE ROLE another")
        session.execute(f"GRANT UPDATE ON audit_leaf TO {roles[kind]}")  # only warns
        refused(session, "UPDATE audit_leaf SET event_pk = 1")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO audit_leaf VALUES (0, 1)",
        "INSERT INTO audit_tile VALUES (0, 0, '')",
        "INSERT INTO audit_checkpoint VALUES (1, '', '', now())",
        "INSERT INTO audit_key VALUES ('key', 0, now())",
        "INSERT INTO audit_head (id) VALUES (1)",
        "UPDATE audit_head SET finding = ''",
        "DELETE FROM audit_head",
        "SELECT * FROM audit_head FOR UPDATE",
    ],
)
def test_the_application_does_not_write_what_the_sealer_writes(roles, statement):
    with session_of(roles["app"]) as session:
        refused(session, statement)


def test_the_auditor_reads_the_trail_and_nothing_else(roles):
    happen(1)

    with session_of(roles["auditor"]) as session:
        for table in (table for table, _ in TABLES):
            session.execute(f"SELECT * FROM {table}")  # noqa: S608
        session.execute("SELECT * FROM audit_head")
        with pytest.raises(errors.ReadOnlySqlTransaction):
            session.execute(copy())
        session.execute("SET default_transaction_read_only = off")
        refused(session, copy())
        refused(session, "SELECT * FROM accounts_user")


def test_the_application_erases_a_name_and_never_changes_one(roles):
    happen(1)

    with session_of(roles["app"]) as session:
        refused(session, "UPDATE audit_disclosure SET value = 'other'")
        refused(session, "TRUNCATE audit_disclosure")
        session.execute("DELETE FROM audit_disclosure")

    assert not Disclosure.objects.exists()
    with session_of(roles["sealer"]) as session:
        refused(session, "DELETE FROM audit_disclosure")
    with session_of(roles["auditor"]) as session:
        refused(session, "SELECT * FROM audit_disclosure")


def test_the_sealer_does_not_read_what_it_does_not_need(roles):
    with session_of(roles["sealer"]) as session:
        session.execute("SELECT * FROM accounts_user")
        refused(session, "SELECT * FROM accounts_apitoken")
        refused(session, "UPDATE accounts_user SET is_superuser = true")


@pytest.mark.parametrize("setting", ["origin", "replica"])
def test_a_superuser_is_refused_by_the_triggers(committed, setting):
    happen(1)

    with connect() as session:
        session.execute(f"SET session_replication_role = {setting}")
        session.commit()
        for table, column in TABLES:
            for deed in (
                f"UPDATE {table} SET {column} = {column}",  # noqa: S608
                f"DELETE FROM {table}",  # noqa: S608
                f"TRUNCATE {table}",
            ):
                refused(session, deed)
                session.rollback()


BROKEN_GUARD = """
CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE ON audit_key
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_key ENABLE ALWAYS TRIGGER audit_append_only
"""
EMPTY_GUARD = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger
    LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
"""
LOSSY_TRIGGER = """
CREATE TRIGGER lossy BEFORE INSERT ON audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
"""
LOSSY_RULE = "CREATE RULE lossy AS ON INSERT TO audit_checkpoint DO INSTEAD NOTHING"
TAKEN_AWAY = {
    "ALTER TABLE audit_auditevent DISABLE TRIGGER audit_append_only": (
        "The trigger audit_append_only of audit_auditevent is switched off."
    ),
    "ALTER TABLE audit_leaf ENABLE TRIGGER audit_append_only": (
        "The trigger audit_append_only of audit_leaf is switched off."
    ),
    "DROP TRIGGER audit_append_only ON audit_tile": (
        "The trigger audit_append_only of audit_tile is missing."
    ),
    "DROP TRIGGER audit_transaction ON audit_auditevent": (
        "The trigger audit_transaction of audit_auditevent is missing."
    ),
    BROKEN_GUARD: "The trigger audit_append_only of audit_key was exchanged.",
    EMPTY_GUARD: "The function audit_is_append_only, which triggers call, was",
    LOSSY_TRIGGER: "A trigger lossy was added to audit_auditevent.",
    LOSSY_RULE: "A rule was added to audit_checkpoint",
    "DROP TRIGGER audit_append_only ON audit_disclosure": (
        "The trigger audit_append_only of audit_disclosure is missing."
    ),
    "ALTER TABLE audit_auditevent ENABLE ROW LEVEL SECURITY": (
        "Row security is on for audit_auditevent: it may hide rows."
    ),
}


@pytest.mark.parametrize(("deed", "gap"), TAKEN_AWAY.items())
def test_what_a_superuser_took_away_is_an_alarm(db, client, deed, gap):
    with connection.cursor() as cursor:
        cursor.execute(deed)

    assert gap in examine().alarm
    assert client.get("/healthz").json()["protection"] == "alarm"
    with pytest.raises(CommandError, match="not fully protected"):
        call_command("protect_audit_trail", "--check", stderr=StringIO())


def test_a_database_that_obeys_is_found_by_trying(db):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_key DISABLE TRIGGER audit_append_only")

    assert guards.obeyed() == [
        "UPDATE audit_key SET vkey = vkey",
        "DELETE FROM audit_key",
    ]


def test_the_trial_leaves_the_transaction_around_it_alone(db):
    [event] = happen(1)

    with transaction.atomic():
        before = examine()
        happen(1)
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            [limit] = cursor.fetchone()

    assert before.alarm == ""
    assert limit == "0"
    assert AuditEvent.objects.filter(pk__gte=event.pk).count() == 2


def test_the_trial_waits_for_nobody(committed):
    with connect() as other:
        other.execute("LOCK TABLE audit_leaf, audit_auditevent")

        assert guards.obeyed() == []


def test_with_one_role_the_gaps_are_told_and_are_no_alarm(db, client):
    status = examine()

    assert (status.word, status.alarm) == ("partial", "")
    assert status.lead.startswith("This portal connects as the owner of the tables")
    assert [one.name for one in status.active] == [
        "The tables of the trail refuse to be edited, cut or emptied, whoever asks.",
        "An attempt to edit and to remove, which would touch no row, was refused.",
    ]
    assert client.get("/healthz").json()["protection"] == "partial"


@pytest.mark.parametrize("kind", ["app", "sealer", "auditor"])
def test_with_separate_roles_nothing_is_missing(roles, client, kind):
    with acting_as(roles[kind]):
        status = examine()

        assert status.missing == []
        assert status.word == "ok"
    assert gaps_of_all_roles() == []


@pytest.mark.parametrize(
    ("deed", "gap"),
    [
        ("GRANT DELETE ON audit_leaf TO {app}", "{app} may DELETE audit_leaf; it does"),
        ("GRANT UPDATE (body) ON audit_auditevent TO {app}", "may UPDATE audit_audit"),
        ("GRANT TRIGGER ON audit_key TO PUBLIC", "{app} may TRIGGER audit_key"),
        ("GRANT INSERT (xid) ON audit_auditevent TO {app}", "number of its choice"),
        (
            "GRANT pg_write_all_data TO {app}",
            "{app} may DELETE, UPDATE audit_auditevent",
        ),
        ("GRANT {owner} TO {app}", "{app} acts as the owner of the tables"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "{app} may create objects"),
        ("ALTER ROLE {app} CREATEROLE", "{app} is a superuser, can make roles"),
        ("GRANT pg_execute_server_program TO {app}", "reaches the files of the server"),
        (
            "GRANT SET ON PARAMETER session_replication_role TO {app}",
            "{app} may set session_replication_role",
        ),
        ("REVOKE SELECT ON audit_head FROM {app}", "{app} needs SELECT audit_head and"),
    ],
)
def test_every_right_too_many_is_told(roles, deed, gap):
    names = roles | {"owner": connection.settings_dict["USER"]}
    with connect() as owner:
        owner.execute(deed.format(**names))

    assert gap.format(**names) in " ".join(gaps_of_all_roles())

    if "CREATE ON SCHEMA" in deed or "TRIGGER ON" in deed:
        call_command("protect_audit_trail", stdout=StringIO())
        assert gaps_of_all_roles() == []


def test_the_triggers_are_those_of_the_list(db):
    always = {key: ("A", text) for key, text in guards.TRIGGERS.items()}

    assert guards.triggers() == always
    assert guards.functions() == guards.FUNCTIONS


def test_every_table_of_the_trail_has_its_rights(db):
    tables = set(connection.introspection.table_names())

    assert {name for name in tables if name.startswith("audit_")} == TRAIL.keys()


def test_a_migration_opens_new_tables_but_none_of_the_trail(roles):
    with connect() as owner:
        owner.execute("CREATE TABLE later_thing (id int GENERATED ALWAYS AS IDENTITY)")
        owner.execute("CREATE TABLE audit_later (id int)")
    with session_of(roles["app"]) as session:
        refused(session, "SELECT * FROM later_thing")

    call_command("migrate", verbosity=0)

    with session_of(roles["app"]) as session:
        session.execute("INSERT INTO later_thing DEFAULT VALUES")
        session.execute("DELETE FROM later_thing")
        refused(session, "TRUNCATE later_thing")
        refused(session, "SELECT * FROM audit_later")
        refused(session, "INSERT INTO audit_later VALUES (1)")
    with connect() as owner:
        owner.execute("DROP TABLE later_thing, audit_later")


def test_a_migration_leaves_a_database_alone_that_has_no_roles(roles):
    app = sql.Identifier(roles["app"])
    with connect() as owner:
        owner.execute(sql.SQL("REVOKE ALL ON audit_auditevent FROM {}").format(app))

    call_command("migrate", verbosity=0)

    assert "audit_auditevent" not in {t for t, _ in powers.rights_of(roles["app"])}


def test_protect_audit_trail_tells_what_it_created_and_is_repeatable(roles):
    output = StringIO()

    call_command("protect_audit_trail", stdout=output)
    call_command("protect_audit_trail", "--check", stdout=output)

    assert "Created" not in output.getvalue()
    assert output.getvalue().count("The audit trail is protected") == 2


def test_protect_audit_trail_changes_a_password(roles, settings):
    settings.DATABASE_ROLE_PASSWORDS = {"app": "other", "sealer": "", "auditor": ""}
    call_command("protect_audit_trail", stdout=StringIO())

    with (
        pytest.raises(errors.OperationalError, match="password"),
        session_of(roles["app"]),
    ):
        pass
    with session_of(roles["sealer"]):
        pass


def test_protect_audit_trail_refuses_a_role_that_cannot_be_limited(db, settings):
    owner = connection.settings_dict["USER"]
    settings.DATABASE_ROLES = {"app": owner, "sealer": owner, "auditor": "reader"}

    with pytest.raises(
        CommandError, match=f"The role {owner} is a superuser or may act"
    ):
        call_command("protect_audit_trail")


def test_protect_audit_trail_needs_the_right_to_make_roles(roles, settings):
    settings.DATABASE_ROLES = roles | {"auditor": "nobody_yet"}

    with acting_as(roles["app"]):
        with pytest.raises(CommandError, match="as the owner of the tables"):
            call_command("protect_audit_trail")
        with pytest.raises(CommandError, match="not fully protected"):
            call_command("protect_audit_trail", "--check", stderr=StringIO())


def test_protection_status_is_remembered_for_a_minute(db, monkeypatch):
    before = protection_status()
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_append_only ON audit_key")

    assert protection_status() is before
    monkeypatch.setattr("apps.audit.protection.REMEMBERED_SECONDS", -1)
    assert protection_status().word == "alarm"


def test_the_page_tells_auditors_what_is_missing(world, client_of):
    html = client_of(world.auditor).get("/audit/").content.decode()

    assert "This portal connects as the owner of the tables" in html
    assert "Protection in the database" in html


def test_the_page_tells_of_a_trigger_that_is_gone(world, client_of):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_leaf DISABLE TRIGGER audit_append_only")

    html = client_of(world.auditor).get("/audit/").content.decode()

    assert "Somebody took a protection away" in html
    assert "The trigger audit_append_only of audit_leaf is switched off." in html


def test_the_page_tells_others_nothing(world, client_of):
    for person in (world.program_manager, world.outsider):
        html = client_of(person).get("/audit/").content.decode()

        assert "Protection in the database" not in html
