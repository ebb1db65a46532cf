"""Emptying the tables after a test with real commits, at the cost of what is there.

Django's own flush rewrites every table and index of the portal, filled or not, and then
makes content types and permissions anew. Here only tables with rows are touched, and
what migrations make of the models stays. The few rows of a test are deleted, which is
cheap; tables that have grown by what was deleted are truncated.
"""

from django.db import connection

_EMPTY = """
DO $$
DECLARE
    places CONSTANT regclass[] := ARRAY(
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
            AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT IN
                ('django_migrations', 'django_content_type', 'auth_permission')
    );
    grown CONSTANT text := (
        SELECT string_agg(place::text, ', ') FROM unnest(places) AS place
        WHERE pg_total_relation_size(place) > 8 * 1024 * 1024
    );
    filled regclass[] := ARRAY[]::regclass[];
    is_filled boolean;
    place regclass;
    guards CONSTANT pg_trigger[] := ARRAY(
        SELECT guard FROM pg_trigger AS guard WHERE tgenabled = 'A'
    );
    guard pg_trigger;
BEGIN
    -- No foreign key asks while the other half of its rows is still there.
    SET LOCAL session_replication_role = replica;
    FOREACH place IN ARRAY places LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', place) INTO is_filled;
        IF is_filled THEN
            filled := filled || place;
        END IF;
    END LOOP;
    FOREACH guard IN ARRAY guards LOOP
        IF grown IS NOT NULL OR guard.tgrelid = ANY(filled) THEN
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I',
                guard.tgrelid::regclass, guard.tgname);
        END IF;
    END LOOP;
    IF grown IS NOT NULL THEN
        EXECUTE format('TRUNCATE %s CASCADE', grown);
    END IF;
    FOREACH place IN ARRAY filled LOOP
        EXECUTE format('DELETE FROM %s', place);
    END LOOP;
    FOREACH guard IN ARRAY guards LOOP
        IF grown IS NOT NULL OR guard.tgrelid = ANY(filled) THEN
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I',
                guard.tgrelid::regclass, guard.tgname);
        END IF;
    END LOOP;
END $$
"""


def empty_the_tables() -> None:
    """Delete every row, from the append-only tables as well."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY)
