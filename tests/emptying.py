"""Emptying the tables after a test with real commits, at the cost of what is there.

Django's own flush rewrites every table and index of the portal, filled or not, and then
makes content types and permissions anew. Here only tables with rows are touched, and
what migrations make of the models stays.
"""

from django.db import connection

_EMPTY = """
DO $$
DECLARE
    place regclass;
    guards name[];
    guard name;
    is_filled boolean;
BEGIN
    -- No foreign key asks while the other half of its rows is still there.
    SET LOCAL session_replication_role = replica;
    FOR place IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
            AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT IN
                ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', place) INTO is_filled;
        CONTINUE WHEN NOT is_filled;
        guards := ARRAY(
            SELECT tgname FROM pg_trigger WHERE tgrelid = place AND tgenabled = 'A'
        );
        FOREACH guard IN ARRAY guards LOOP
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', place, guard);
        END LOOP;
        EXECUTE format('DELETE FROM %s', place);
        FOREACH guard IN ARRAY guards LOOP
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', place, guard);
        END LOOP;
    END LOOP;
END $$
"""


def empty_the_tables() -> None:
    """Delete every row, from the append-only tables as well."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY)
