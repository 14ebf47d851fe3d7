"""Looks at a database and reads it by ODBC, and prints what it gets.

Usage: odbc.py DRIVER HOST PORT DATABASE USER PASSWORD
"""
import sys

import pyodbc

driver, host, port, database, user, password = sys.argv[1:]
for fetch in (0, 1):
    connection = pyodbc.connect(
        f"Driver={driver};Server={host};Port={port};Database={database};Uid={user};Pwd={{{password}}};UseDeclareFetch={fetch};Fetch=7;SSLmode=disable"
    )
    connection.autocommit = True
    cursor = connection.cursor()
    print("declare/fetch", fetch, connection.getinfo(pyodbc.SQL_DBMS_NAME))
    for schema in ("public", "errors", "fieldgate"):
        print(sorted(tuple(row) for row in cursor.tables(schema=schema)))
    for table in ("press", "Odd Name.x", "empty_one"):
        print(table)
        for row in cursor.columns(table=table, schema="public"):
            print("  ", [value for i, value in enumerate(row) if i < 18])
        print("  ", [tuple(row) for row in cursor.primaryKeys(table, schema="public")], [tuple(row) for row in cursor.foreignKeys(table, schema="public")])
        print("  ", [tuple(row)[3:] for row in cursor.statistics(table, schema="public") if row.index_name])
        print("  ", [tuple(row) for row in cursor.rowIdColumns(table, schema="public")], [tuple(row) for row in cursor.rowVerColumns(table, schema="public")])
    print([tuple(row) for row in cursor.procedures(schema="public")])
    print([row.type_name for row in cursor.getTypeInfo()])
    cursor.execute("select * from press order by timestamp")
    print([(d[0], d[1].__name__, d[3], d[4], d[5]) for d in cursor.description])
    for row in cursor.fetchall():
        print(tuple(row))
    cursor.execute("select g, g * 1.5, 'row ' || g from generate_series(1, 100) g where g > ?", 3)
    rows = cursor.fetchall()
    print(len(rows), sum(row[0] for row in rows), rows[-1])
    cursor.execute("select 1::int2, 3::int8, 0.1::float8, 12.50::numeric(6,2), true, date '2026-02-28', timestamp '2026-02-28 23:59:59.5', null::text")
    print(tuple(cursor.fetchone()))
    for wrong in ("select * from nowhere", "select 1/0"):
        try:
            cursor.execute(wrong).fetchall()
        except pyodbc.Error as e:
            print(e.args[0], e.args[1].splitlines()[0])
    connection.autocommit = False
    cursor.execute("select count(*) from press")
    print(tuple(cursor.fetchone()))
    connection.rollback()
    connection.close()
