-- client: Arrow ADBC 1.13 (PostgreSQL driver)
-- origin: the log of a PostgreSQL that its GetObjects asked
-- query: columns of a table
-- rows: ordered
SELECT attr.attname, attr.attnum, pg_catalog.col_description(cls.oid, attr.attnum)
FROM pg_catalog.pg_attribute AS attr
INNER JOIN pg_catalog.pg_class AS cls ON attr.attrelid = cls.oid
INNER JOIN pg_catalog.pg_namespace AS nsp ON nsp.oid = cls.relnamespace
WHERE attr.attnum > 0 AND NOT attr.attisdropped AND nsp.nspname LIKE 'public' AND cls.relname LIKE '{table}'

-- query: tables of a schema
SELECT c.relname, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
    WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' END AS reltype
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r','v','m','t','f','p') AND pg_catalog.pg_table_is_visible(c.oid) AND n.nspname = 'public'
