-- client: psql 15
-- origin: its describe.c, shown by psql -E
-- query: \dT of all
-- rows: subset
-- because: PostgreSQL comments on its types
SELECT n.nspname as "Schema", pg_catalog.format_type(t.oid, NULL) AS "Name"
FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid))
  AND NOT EXISTS(SELECT 1 FROM pg_catalog.pg_type el WHERE el.oid = t.typelem AND el.typarray = t.oid)
  AND pg_catalog.pg_type_is_visible(t.oid) ORDER BY 1, 2

-- query: \dt
SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'p' THEN 'partitioned table' END as "Type",
  pg_catalog.pg_get_userbyid(c.relowner) as "Owner"
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind IN ('r','p','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema'
  AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2

-- query: \di
SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'i' THEN 'index' WHEN 'I' THEN 'partitioned index' END as "Type",
  pg_catalog.pg_get_userbyid(c.relowner) as "Owner", c2.relname as "Table"
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_catalog.pg_class c2 ON i.indrelid = c2.oid
WHERE c.relkind IN ('i','I','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema'
  AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2

-- query: \dn
SELECT n.nspname AS "Name", pg_catalog.pg_get_userbyid(n.nspowner) AS "Owner" FROM pg_catalog.pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1

-- query: \d, the table of a name
SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname OPERATOR(pg_catalog.~) '^({table})$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3

-- query: \d, its properties
SELECT c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, c.relrowsecurity, c.relforcerowsecurity, false AS relhasoids,
  c.relispartition, '', c.reltablespace, CASE WHEN c.reloftype = 0 THEN '' ELSE c.reloftype::pg_catalog.regtype::pg_catalog.text END,
  c.relpersistence, c.relreplident, am.amname
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid) LEFT JOIN pg_catalog.pg_am am ON (c.relam = am.oid)
WHERE c.oid = '{oid}'

-- query: \d, its columns
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
  (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),
  a.attnotnull,
  (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t
   WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation,
  a.attidentity, a.attgenerated
FROM pg_catalog.pg_attribute a WHERE a.attrelid = '{oid}' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

-- query: \d, its parents
SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i
WHERE c.oid = i.inhparent AND i.inhrelid = '{oid}' AND c.relkind != 'p' AND c.relkind != 'I' ORDER BY inhseqno

-- query: \d, its publications
SELECT pubname, NULL, NULL FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_namespace pn ON p.oid = pn.pnpubid
  JOIN pg_catalog.pg_class pc ON pc.relnamespace = pn.pnnspid
WHERE pc.oid = '{oid}' and pg_catalog.pg_relation_is_publishable('{oid}')
UNION SELECT pubname, NULL, NULL FROM pg_catalog.pg_publication p WHERE p.puballtables AND pg_catalog.pg_relation_is_publishable('{oid}') ORDER BY 1

-- query: \dp
-- except: Access privileges
-- because: PostgreSQL lists what an owner may write
SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'p' THEN 'partitioned table' END as "Type",
  pg_catalog.array_to_string(c.relacl, E'\n') AS "Access privileges",
  pg_catalog.array_to_string(ARRAY(SELECT attname || E':\n  ' || pg_catalog.array_to_string(attacl, E'\n  ')
    FROM pg_catalog.pg_attribute a WHERE attrelid = c.oid AND NOT attisdropped AND attacl IS NOT NULL), E'\n') AS "Column privileges",
  pg_catalog.array_to_string(ARRAY(SELECT polname || CASE WHEN polqual IS NOT NULL THEN E'\n  (u): ' || pg_catalog.pg_get_expr(polqual, polrelid) ELSE E'' END
    FROM pg_catalog.pg_policy pol WHERE polrelid = c.oid), E'\n') AS "Policies"
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r','v','m','S','f','p') AND n.nspname !~ '^pg_' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1, 2

-- query: \df of system functions
SELECT n.nspname as "Schema", p.proname as "Name", pg_catalog.pg_get_function_result(p.oid) as "Result data type",
  pg_catalog.pg_get_function_arguments(p.oid) as "Argument data types",
  CASE p.prokind WHEN 'a' THEN 'agg' WHEN 'w' THEN 'window' WHEN 'p' THEN 'proc' ELSE 'func' END as "Type"
FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE pg_catalog.pg_function_is_visible(p.oid) ORDER BY 1, 2, 4

-- query: identities of functions
SELECT p.oid, pg_catalog.pg_get_function_identity_arguments(p.oid) FROM pg_catalog.pg_proc p WHERE p.pronamespace = 11

-- query: \do of all operators
SELECT n.nspname as "Schema", o.oprname AS "Name", CASE WHEN o.oprkind='l' THEN NULL ELSE pg_catalog.format_type(o.oprleft, NULL) END AS "Left arg type",
  CASE WHEN o.oprkind='r' THEN NULL ELSE pg_catalog.format_type(o.oprright, NULL) END AS "Right arg type",
  pg_catalog.format_type(o.oprresult, NULL) AS "Result type"
FROM pg_catalog.pg_operator o LEFT JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE pg_catalog.pg_operator_is_visible(o.oid) ORDER BY 1, 2, 3, 4

-- query: \dC of all casts
SELECT pg_catalog.format_type(castsource, NULL) AS "Source type", pg_catalog.format_type(casttarget, NULL) AS "Target type",
  CASE WHEN c.castmethod = 'b' THEN '(binary coercible)' WHEN c.castmethod = 'i' THEN '(with inout)' ELSE p.proname END AS "Function",
  CASE WHEN c.castcontext = 'e' THEN 'no' WHEN c.castcontext = 'a' THEN 'in assignment' ELSE 'yes' END AS "Implicit?"
FROM pg_catalog.pg_cast c LEFT JOIN pg_catalog.pg_proc p ON c.castfunc = p.oid ORDER BY 1, 2

-- query: aggregates
SELECT a.aggfnoid, a.aggkind, a.aggnumdirectargs FROM pg_catalog.pg_aggregate a

-- query: ranges
SELECT rngtypid, rngsubtype, rngmultitypid FROM pg_catalog.pg_range

-- query: completion of table names
SELECT c.relname, NULL::pg_catalog.text FROM pg_catalog.pg_class c
WHERE c.relkind IN ('r', 'S', 'v', 'm', 'f', 'p') AND (c.relname) LIKE 'pr%' AND pg_catalog.pg_table_is_visible(c.oid)
  AND c.relnamespace <> (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog')
UNION ALL
SELECT NULL::pg_catalog.text, n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname LIKE 'pr%' LIMIT 1000

-- query: all columns of system relations
SELECT c.relname, a.attname, a.attnum, a.atttypid, a.atttypmod, a.attnotnull, a.attlen, a.attbyval, a.attalign, a.attndims, a.attcollation
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('pg_catalog', 'information_schema') AND a.attnum > 0 AND c.relkind IN ('r', 'v')

-- query: all system relations
SELECT c.oid, c.relname, c.relkind, c.reltype, c.relnatts, c.relpersistence, c.relreplident, c.relam
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v')

-- client: asyncpg 0.30, psycopg 3
-- origin: asyncpg's introspection.py (shortened) and psycopg's TypeInfo.fetch
-- query: type by name
SELECT typname AS name, oid, typarray AS array_oid, oid::regtype::text AS regtype, typdelim AS delimiter FROM pg_type t WHERE t.oid = to_regtype('jsonb') ORDER BY t.oid

-- query: types behind a type
WITH RECURSIVE typeinfo_tree(oid, ns, name, kind, basetype, elemtype, depth) AS (
  SELECT t.oid, ns.nspname, t.typname, t.typtype, t.typbasetype, t.typelem, 0
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace ns ON ns.oid = t.typnamespace WHERE t.oid = ANY('{1016,1700}'::oid[])
  UNION ALL
  SELECT t.oid, ns.nspname, t.typname, t.typtype, t.typbasetype, t.typelem, tt.depth + 1
  FROM typeinfo_tree tt JOIN pg_catalog.pg_type t ON t.oid = tt.elemtype AND tt.elemtype <> 0 JOIN pg_catalog.pg_namespace ns ON ns.oid = t.typnamespace)
SELECT DISTINCT *, basetype::regtype::text AS basetype_name, elemtype::regtype::text AS elemtype_name FROM typeinfo_tree ORDER BY depth DESC

-- query: cursors
SELECT 1 FROM pg_catalog.pg_cursors WHERE name = 'no such cursor'

-- client: every client
-- origin: the relations of information_schema, as the standard has them
-- query: columns
-- except: is_updatable
-- because: rows come over HTTP
SELECT * FROM information_schema.columns WHERE table_schema IN ('public', 'errors', 'fieldgate')

-- query: columns of system relations
SELECT table_schema, table_name, column_name, ordinal_position, is_nullable, data_type, udt_name, domain_name
FROM information_schema.columns WHERE table_schema = 'pg_catalog' AND table_name IN ('pg_class', 'pg_attribute', 'pg_type', 'pg_stat_activity', 'pg_settings', 'pg_tables')

-- query: tables
-- except: is_insertable_into
-- because: rows come over HTTP
SELECT * FROM information_schema.tables WHERE table_schema IN ('public', 'errors', 'fieldgate')

-- query: schemata
-- except: schema_owner
-- because: the owner of PostgreSQL's own schemas is another
SELECT * FROM information_schema.schemata WHERE schema_name !~ '^pg_toast'

-- query: table_privileges for reading
SELECT grantor, grantee, table_schema, table_name, privilege_type, is_grantable, with_hierarchy FROM information_schema.table_privileges
WHERE table_schema = 'public' AND privilege_type = 'SELECT' AND grantee = '{user}'

-- query: enabled roles
-- rows: subset
-- because: the owner of a database has a role more in PostgreSQL
SELECT * FROM information_schema.enabled_roles

-- query: catalog
SELECT * FROM information_schema.information_schema_catalog_name

-- query: routines
SELECT routine_schema, routine_name, data_type FROM information_schema.routines WHERE routine_schema = 'public'

-- query: collations
SELECT collation_schema, collation_name, pad_attribute FROM information_schema.collations WHERE collation_name IN ('C', 'POSIX', 'default')

-- query: element types of arrays
SELECT object_schema, object_name, object_type, collection_type_identifier, data_type, udt_name FROM information_schema.element_types
WHERE object_schema = 'fieldgate'

-- query: system columns of the catalog
SELECT c.tableoid::regclass, c.xmax, c.cmin, c.cmax, d.tableoid, c.relname FROM pg_catalog.pg_class c
LEFT JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.classoid = c.tableoid AND d.objsubid = -1
WHERE c.oid IN (1259, 1249) ORDER BY 6

-- query: \dd of constraints
SELECT DISTINCT tt.nspname AS "Schema", tt.name AS "Name", tt.object AS "Object", d.description AS "Description" FROM (
  SELECT pgc.oid as oid, pgc.tableoid AS tableoid, n.nspname as nspname, CAST(pgc.conname AS pg_catalog.text) as name,
    CAST('table constraint' AS pg_catalog.text) as object
  FROM pg_catalog.pg_constraint pgc JOIN pg_catalog.pg_class c ON c.oid = pgc.conrelid LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid)) AS tt
  JOIN pg_catalog.pg_description d ON (tt.oid = d.objoid AND tt.tableoid = d.classoid AND d.objsubid = 0) ORDER BY 1, 2, 3

-- query: time zones
SELECT name, abbrev, utc_offset, is_dst FROM pg_catalog.pg_timezone_names
WHERE name IN ('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Etc/GMT+5') ORDER BY name

-- query: abbreviations of time zones
SELECT abbrev, utc_offset, is_dst FROM pg_catalog.pg_timezone_abbrevs ORDER BY abbrev

-- query: \dconfig
SELECT s.name AS "Parameter", pg_catalog.current_setting(s.name) AS "Value" FROM pg_catalog.pg_settings s
WHERE s.name IN ('statement_timeout', 'work_mem', 'search_path', 'max_index_keys', 'server_version_num', 'standard_conforming_strings') ORDER BY 1

-- query: names of all settings
SELECT name, vartype, context, category, unit FROM pg_catalog.pg_settings WHERE name NOT LIKE '%.%' ORDER BY name
