-- client: Npgsql 8 (Power BI, Excel Power Query, .NET)
-- origin: the type loading batch of Npgsql's PostgresDatabaseInfo, sent when a pool's first connection opens
-- query: version
-- rows: shape
-- because: the version text names the server
SELECT version()

-- query: all types that values can have
-- because: rows that only PostgreSQL has are of system composites
SELECT space.nspname, kind.oid, kind.typname, kind.letter, kind.typnotnull, kind.elemtypoid
FROM (
    SELECT one.oid, one.typnamespace, one.typname, one.letter, one.typnotnull, one.relkind, one.elemtypoid,
        elem.typname AS elemname, elemclass.relkind AS elemrelkind,
        CASE WHEN elemproc.proname = 'array_recv' THEN 'a' ELSE elem.typtype END AS elemletter
    FROM (
        SELECT typ.oid, typ.typnamespace, typ.typname, typ.typnotnull, cls.relkind,
            CASE WHEN proc.proname = 'array_recv' THEN 'a' ELSE typ.typtype END AS letter,
            CASE WHEN proc.proname = 'array_recv' THEN typ.typelem
                 WHEN typ.typtype = 'r' THEN rng.rngsubtype
                 WHEN typ.typtype = 'm' THEN (SELECT m.rngtypid FROM pg_range m WHERE m.rngmultitypid = typ.oid)
                 WHEN typ.typtype = 'd' THEN typ.typbasetype END AS elemtypoid
        FROM pg_type AS typ
        LEFT JOIN pg_class AS cls ON cls.oid = typ.typrelid
        LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive
        LEFT JOIN pg_range AS rng ON rng.rngtypid = typ.oid
    ) AS one
    LEFT JOIN pg_type AS elem ON elem.oid = one.elemtypoid
    LEFT JOIN pg_class AS elemclass ON elemclass.oid = elem.typrelid
    LEFT JOIN pg_proc AS elemproc ON elemproc.oid = elem.typreceive
) AS kind
JOIN pg_namespace AS space ON space.oid = kind.typnamespace
WHERE kind.letter IN ('b', 'r', 'm', 'e', 'd')
   OR kind.letter = 'c' AND kind.relkind = 'c'
   OR kind.letter = 'p' AND kind.typname IN ('record', 'void')
   OR kind.letter = 'a' AND (kind.elemletter IN ('b', 'r', 'm', 'e', 'd')
        OR kind.elemletter = 'p' AND kind.elemname IN ('record', 'void') OR kind.elemletter = 'c' AND kind.elemrelkind = 'c')
ORDER BY CASE WHEN kind.letter IN ('b', 'e', 'p') THEN 0 WHEN kind.letter = 'c' THEN 1 WHEN kind.letter = 'r' THEN 2
    WHEN kind.letter = 'm' THEN 3 WHEN kind.letter = 'd' AND kind.elemletter <> 'a' THEN 4 WHEN kind.letter = 'a' THEN 5 ELSE 6 END

-- query: fields of free composites
SELECT typ.oid, att.attname, att.atttypid
FROM pg_type AS typ
JOIN pg_namespace AS ns ON ns.oid = typ.typnamespace
JOIN pg_class AS cls ON cls.oid = typ.typrelid
JOIN pg_attribute AS att ON att.attrelid = typ.typrelid
WHERE typ.typtype = 'c' AND cls.relkind = 'c' AND att.attnum > 0 AND NOT att.attisdropped
ORDER BY typ.oid, att.attnum

-- query: labels of enums
SELECT pg_type.oid, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid ORDER BY oid, enumsortorder

-- client: Power BI Desktop (Npgsql 4.0)
-- origin: traffic listed in datafusion-postgres#106 and #218, duckdb PR#10222: the navigator and relationship detection
-- query: character set
SELECT character_set_name FROM information_schema.character_sets

-- query: tables of the navigator
SELECT table_schema, table_name, table_type
FROM information_schema.tables
WHERE table_schema NOT IN ('information_schema', 'pg_catalog')
ORDER BY table_schema, table_name

-- query: columns of a table
SELECT column_name, ordinal_position, is_nullable, data_type,
    CASE WHEN data_type LIKE '%char%' THEN 'text' ELSE data_type END AS kind
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = '{table}'
ORDER BY table_schema, table_name, ordinal_position

-- query: primary and unique keys
SELECT i.constraint_schema || '_' || i.constraint_name AS index_name, ii.column_name, ii.ordinal_position,
    CASE WHEN i.constraint_type = 'PRIMARY KEY' THEN 'Y' ELSE 'N' END AS primary_key
FROM information_schema.table_constraints i
INNER JOIN information_schema.key_column_usage ii ON i.constraint_schema = ii.constraint_schema
    AND i.constraint_name = ii.constraint_name AND i.table_schema = ii.table_schema AND i.table_name = ii.table_name
WHERE i.table_schema = 'public' AND i.table_name = '{table}' AND i.constraint_type IN ('PRIMARY KEY', 'UNIQUE')
ORDER BY i.constraint_schema || '_' || i.constraint_name, ii.table_schema, ii.table_name, ii.ordinal_position

-- query: foreign keys to a table
SELECT pkcol.column_name AS pk_column_name, fkcol.table_schema AS fk_table_schema, fkcol.table_name AS fk_table_name,
    fkcol.column_name AS fk_column_name, fkcol.ordinal_position AS ordinal, fkcon.constraint_schema || '_' || fkcol.table_name AS fk_name
FROM (SELECT DISTINCT constraint_catalog, constraint_schema, unique_constraint_schema, constraint_name, unique_constraint_name
      FROM information_schema.referential_constraints) fkcon
INNER JOIN information_schema.key_column_usage fkcol ON fkcon.constraint_schema = fkcol.constraint_schema
    AND fkcon.constraint_name = fkcol.constraint_name
INNER JOIN information_schema.key_column_usage pkcol ON fkcon.unique_constraint_schema = pkcol.constraint_schema
    AND fkcon.unique_constraint_name = pkcol.constraint_name
WHERE pkcol.table_schema = 'public' AND pkcol.table_name = '{table}' AND pkcol.ordinal_position = fkcol.ordinal_position
ORDER BY fkcon.constraint_schema || '_' || fkcol.table_name, fkcol.ordinal_position

-- client: Npgsql 8 GetSchema
-- origin: Npgsql's NpgsqlSchema, the collections behind DbConnection.GetSchema
-- query: databases
SELECT d.datname AS database_name, u.usename AS owner, pg_encoding_to_char(d.encoding) AS encoding
FROM pg_database AS d LEFT JOIN pg_user AS u ON d.datdba = u.usesysid
WHERE d.datname = current_database()

-- query: users
SELECT usename AS user_name, usesysid AS user_sysid FROM pg_catalog.pg_user WHERE usename = '{user}'

-- query: indexes of a table
SELECT current_database() AS table_catalog, n.nspname AS table_schema, t.relname AS table_name, i.relname AS index_name, '' AS type_desc
FROM pg_catalog.pg_class AS i
JOIN pg_catalog.pg_index AS ix ON ix.indexrelid = i.oid
JOIN pg_catalog.pg_class AS t ON ix.indrelid = t.oid
LEFT JOIN pg_catalog.pg_user AS u ON u.usesysid = i.relowner
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = i.relnamespace
WHERE i.relkind = 'i' AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND t.relkind = 'r'

-- query: views
SELECT table_catalog, table_schema, table_name, check_option, is_updatable
FROM information_schema.views WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
