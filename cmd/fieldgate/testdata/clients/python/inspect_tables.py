"""Looks at a database by SQLAlchemy's inspector over psycopg 2 and 3, and prints what it sees.

Usage: inspect_tables.py URL, as postgresql://USER:PASSWORD@HOST:PORT/DATABASE
"""
import sys

import sqlalchemy

for driver in ("psycopg2", "psycopg"):
    engine = sqlalchemy.create_engine(sys.argv[1].replace("postgresql://", f"postgresql+{driver}://", 1))
    inspector = sqlalchemy.inspect(engine)
    print(driver, inspector.default_schema_name, sorted(inspector.get_schema_names()))
    for schema in ("public", "errors", "fieldgate"):
        print(schema, sorted(inspector.get_table_names(schema)), sorted(inspector.get_view_names(schema)))
    print(inspector.get_sequence_names(), inspector.get_enums(), sorted(inspector.get_materialized_view_names()))
    for table in ("press", "Odd Name.x", "empty_one"):
        print(table, inspector.has_table(table), inspector.get_table_comment(table))
        for column in inspector.get_columns(table):
            print("  ", column["name"], repr(column["type"]), column["nullable"], column["default"], column.get("comment"))
        print("  ", inspector.get_pk_constraint(table), inspector.get_foreign_keys(table), inspector.get_indexes(table))
        print("  ", inspector.get_unique_constraints(table), inspector.get_check_constraints(table), inspector.get_table_options(table))
    print(inspector.has_table("nowhere"))
    metadata = sqlalchemy.MetaData()
    metadata.reflect(engine)
    print(sorted(metadata.tables))
    press = metadata.tables["press"]
    with engine.connect() as connection:
        for row in connection.execute(sqlalchemy.select(press).order_by(press.c.timestamp)):
            print(row)
        streamed = connection.execution_options(stream_results=True, yield_per=10)
        numbers = streamed.execute(sqlalchemy.text("select g from generate_series(1, 95) g"))
        print(sum(row[0] for row in numbers))
    engine.dispose()
