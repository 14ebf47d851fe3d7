"""Reads by psycopg 2 and 3 as applications do, and prints what it gets.

Usage: read_rows.py URL
"""
import sys

import psycopg
import psycopg2
import psycopg2.extras

TYPES = """select 1::int2, 2::int4, 3::int8, 1.5::float4, 0.1::float8, 123.4500::numeric, true, 'text', '\\x00ff'::bytea,
    '0f0e0d0c-0b0a-0908-0706-050403020100'::uuid, date '2026-02-28', timestamp '2026-02-28 23:59:59.999999',
    timestamptz '2026-02-28 23:59:59+05:30', interval '3 days 04:05:06.7', array[1,null,3], array['a','b c'], null::int, '{"a": [1]}'::jsonb"""


def old(url):
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("select * from press order by timestamp")
        print([(d.name, d.type_code, d.internal_size, d.precision, d.scale) for d in cursor.description])
        print(cursor.fetchall())
        cursor.execute(TYPES)
        print([bytes(v) if isinstance(v, memoryview) else v for v in cursor.fetchone()])
        cursor.execute("select %s, %s, %s", (1, "it's", [1, 2]))
        print(cursor.fetchone())
    with connection, connection.cursor("server side") as cursor:
        cursor.itersize = 7
        cursor.execute("select g from generate_series(1, 100) g")
        print(sum(row[0] for row in cursor))
    with connection, connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        try:
            cursor.execute("select nothing from press")
        except psycopg2.Error as e:
            print(e.pgcode, str(e).strip())
    connection.rollback()
    connection.close()


def new(url):
    with psycopg.connect(url, prepare_threshold=2) as connection:
        for binary in (False, True):
            with connection.cursor(binary=binary) as cursor:
                for _ in range(4):
                    cursor.execute(TYPES)
                    print(cursor.fetchone())
                cursor.execute("select label, temperature from press where temperature > %s order by timestamp", (0,))
                print(cursor.fetchall())
        with connection.cursor("server side") as cursor:
            cursor.itersize = 7
            cursor.execute("select g, %s from generate_series(1, 100) g", ("x",))
            print([(d.name, d.type_code) for d in cursor.description], sum(row[0] for row in cursor))
        with connection.pipeline(), connection.cursor() as cursor:
            results = [connection.execute("select %s::int", (n,)) for n in range(5)]
            print([r.fetchone() for r in results])
        print(psycopg.types.TypeInfo.fetch(connection, "jsonb"), psycopg.types.TypeInfo.fetch(connection, "nowhere"))
        with connection.cursor().copy("copy (select g, 'a' || g from generate_series(1, 3) g) to stdout") as copy:
            print([row for row in copy.rows()])
        try:
            connection.execute("select 1/0")
        except psycopg.Error as e:
            print(e.sqlstate, e.diag.message_primary)
        connection.rollback()


old(sys.argv[1])
new(sys.argv[1])
