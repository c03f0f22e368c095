"""Append-only tables: the database itself refuses UPDATE, DELETE and TRUNCATE.

Used in migrations: `operations = [..., append_only("cases_caseevent")]`. The trigger function is made once per table,
so that a table's rule stands beside it.
"""

from django.db import migrations


def append_only(table: str) -> migrations.RunSQL:
    """Return the migration step that makes `table` append-only."""
    function = f"{table}_is_append_only"
    return migrations.RunSQL(
        sql=f"""
            CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '{table} is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
            END $$;
            CREATE TRIGGER {function}_rows BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION {function}();
            CREATE TRIGGER {function}_table BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION {function}();
        """,
        reverse_sql=f"""
            DROP TRIGGER {function}_table ON {table};
            DROP TRIGGER {function}_rows ON {table};
            DROP FUNCTION {function}();
        """,
    )
