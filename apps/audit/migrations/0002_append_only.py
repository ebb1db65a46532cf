"""The database itself refuses to change or remove audit events and what seals them.

It also notes the transaction that wrote each event, whatever an INSERT says: by that
number the sealer finds what was committed since it last looked.
"""

from django.db import migrations

NOTE = """
ALTER TABLE audit_auditevent
    ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    ADD CONSTRAINT audit_body_size CHECK (octet_length(body) BETWEEN 2 AND 65535),
    ADD CONSTRAINT audit_leaf_hash_size CHECK (octet_length(leaf_hash) = 32),
    ADD CONSTRAINT audit_mac_size CHECK (octet_length(mac) = 32);
CREATE INDEX audit_by_xid ON audit_auditevent (xid, id);

CREATE FUNCTION audit_note_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_transaction
    BEFORE INSERT ON audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_note_transaction();
ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER audit_transaction;
"""
FORGET = """
DROP TRIGGER audit_transaction ON audit_auditevent;
DROP FUNCTION audit_is_append_only();
DROP FUNCTION audit_note_transaction();
DROP INDEX audit_by_xid;
ALTER TABLE audit_auditevent
    DROP CONSTRAINT audit_mac_size,
    DROP CONSTRAINT audit_leaf_hash_size,
    DROP CONSTRAINT audit_body_size,
    DROP COLUMN xid;
"""
FORBID = """
CREATE TRIGGER audit_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_append_only;
"""
ALLOW = "DROP TRIGGER audit_append_only ON {table};"
TABLES = (
    "audit_auditevent",
    "audit_leaf",
    "audit_tile",
    "audit_checkpoint",
    "audit_key",
)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.RunSQL(NOTE, FORGET),
        *(
            migrations.RunSQL(FORBID.format(table=table), ALLOW.format(table=table))
            for table in TABLES
        ),
    ]
