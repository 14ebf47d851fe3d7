-- client: DBeaver 24
-- origin: its PostgreSQL extension's model (PostgreDataSource, PostgreDatabase, PostgreSchema and their caches) over pgjdbc
-- query: where am I
SELECT current_schema(), session_user

-- query: the database
-- except: oid, datdba, datcollate, datctype, datfrozenxid, datminmxid, datacl, datcollversion, datistemplate
-- because: numbers and collation are the cluster's own
SELECT db.oid, db.* FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate AND datname = current_database()

-- query: standard strings
SELECT name, setting, category, short_desc, context, vartype, source, boot_val, reset_val
FROM pg_catalog.pg_settings WHERE name = 'standard_conforming_strings'

-- query: settings with units, bounds and words
SELECT name, setting, unit, category, short_desc, context, vartype, min_val, max_val, enumvals, boot_val
FROM pg_catalog.pg_settings WHERE name IN ('work_mem', 'statement_timeout', 'max_index_keys', 'bytea_output', 'extra_float_digits', 'search_path')

-- query: keywords
SELECT * FROM pg_catalog.pg_get_keywords()

-- query: is there an enum catalog
SELECT * FROM pg_catalog.pg_enum WHERE 1<>1 LIMIT 1

-- query: are there event triggers
SELECT * FROM pg_catalog.pg_event_trigger WHERE 1<>1 LIMIT 1

-- query: schemas
-- except: nspowner, nspacl
-- because: PostgreSQL gives its own schemas rights
SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass
WHERE n.nspname !~ '^pg_(toast|temp)' ORDER BY nspname

-- query: data types
SELECT t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_type_name
FROM pg_catalog.pg_type t
LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND t.typnamespace = 11 AND t.typname NOT LIKE '\_pg\_%'

-- query: roles
-- except: oid, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolbypassrls, rolconfig, rolpassword, description
-- because: what a role may do is told by the server that has it
SELECT a.oid, a.*, pd.description FROM pg_catalog.pg_roles a
LEFT JOIN pg_catalog.pg_shdescription pd ON a.oid = pd.objoid WHERE a.rolname = '{user}' ORDER BY a.rolname

-- query: members of roles
SELECT * FROM pg_catalog.pg_auth_members WHERE false

-- query: tables of a schema
-- except: relfilenode, relpages, relallvisible, reltoastrelid, relfrozenxid, relminmxid, reltuples
-- because: storage differs
SELECT c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr,
    pg_catalog.pg_get_partkeydef(c.oid) AS partition_key
FROM pg_catalog.pg_class c
INNER JOIN pg_catalog.pg_namespace ns ON ns.oid = c.relnamespace
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
WHERE ns.nspname = 'public' AND c.relkind NOT IN ('i', 'I', 'c')

-- query: columns of a table
SELECT c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) AS def_value, dsc.description, dep.objid
FROM pg_catalog.pg_attribute a
INNER JOIN pg_catalog.pg_class c ON a.attrelid = c.oid
LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
LEFT OUTER JOIN pg_catalog.pg_description dsc ON c.oid = dsc.objoid AND a.attnum = dsc.objsubid
LEFT OUTER JOIN pg_depend dep ON dep.refobjid = a.attrelid AND dep.deptype = 'i' AND dep.refobjsubid = a.attnum AND dep.classid = dep.refclassid
WHERE NOT a.attisdropped AND c.oid = {oid} AND a.attnum > 0
ORDER BY a.attnum

-- query: constraints of a schema
SELECT c.oid, c.*, t.relname AS tabrelname, rt.relnamespace AS refnamespace, d.description,
    pg_catalog.pg_get_expr(c.conbin, c.conrelid) AS consrc_copy, pg_catalog.pg_get_constraintdef(c.oid) AS def
FROM pg_catalog.pg_constraint c
INNER JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid = c.confrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_constraint'::regclass
WHERE c.conrelid = {oid} ORDER BY c.oid

-- query: indexes of a schema
SELECT i.*, i.indkey AS keys, c.relname, c.relnamespace, c.relam, c.reltablespace, tc.relname AS tabrelname, dsc.description,
    pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS pred_expr, pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) AS expr,
    pg_catalog.pg_relation_size(i.indexrelid) AS index_rel_size, pg_catalog.pg_stat_get_numscans(i.indexrelid) AS index_num_scans
FROM pg_catalog.pg_index i
INNER JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_class tc ON tc.oid = i.indrelid
LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid = dsc.objoid
WHERE i.indrelid = {oid} ORDER BY tabrelname, c.relname

-- query: sizes of a table
-- except: table_rel_size, rel_size, total_rel_size
-- because: the sizes are those of files
SELECT c.oid, pg_catalog.pg_total_relation_size(c.oid) AS total_rel_size, pg_catalog.pg_relation_size(c.oid) AS rel_size
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'

-- query: functions of a schema
SELECT p.oid AS poid, p.*, pg_catalog.pg_get_expr(p.proargdefaults, 0) AS arg_defaults, d.description
FROM pg_catalog.pg_proc p
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = p.oid
WHERE p.pronamespace = 'public'::regnamespace ORDER BY p.proname

-- query: triggers of a table
SELECT x.oid, x.*, p.pronamespace AS func_schema_id, d.description
FROM pg_catalog.pg_trigger x
LEFT OUTER JOIN pg_catalog.pg_proc p ON p.oid = x.tgfoid
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = x.oid AND d.objsubid = 0
WHERE x.tgrelid = {oid} AND NOT x.tgisinternal

-- query: rules of a table
SELECT r.oid, r.* FROM pg_catalog.pg_rewrite r WHERE r.ev_class = {oid}

-- query: policies of a table
SELECT * FROM pg_catalog.pg_policies WHERE schemaname = 'public' AND tablename = '{table}'

-- query: children of a table
SELECT i.*, c.relnamespace FROM pg_catalog.pg_inherits i, pg_catalog.pg_class c WHERE i.inhparent = {oid} AND c.oid = i.inhrelid

-- query: sequences
SELECT sequencename, last_value FROM pg_catalog.pg_sequences WHERE schemaname = 'public'

-- query: extensions on offer
-- rows: shape
-- because: a server that has none offers none
SELECT e.oid, cfg.tbls, n.nspname AS schema_name, e.*
FROM pg_catalog.pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN (SELECT ARRAY_AGG(ns.nspname || '.' || cls.relname) tbls, oid_ext
           FROM (SELECT unnest(e1.extconfig) oid, e1.oid oid_ext FROM pg_catalog.pg_extension e1) c
           JOIN pg_catalog.pg_class cls ON cls.oid = c.oid JOIN pg_catalog.pg_namespace ns ON ns.oid = cls.relnamespace
           GROUP BY oid_ext) cfg ON cfg.oid_ext = e.oid

-- query: tablespaces
-- except: loc, spcacl, spcowner
-- because: places on disk
SELECT t.oid, t.*, pg_tablespace_location(t.oid) loc FROM pg_catalog.pg_tablespace t

-- query: sessions
-- rows: shape
-- because: sessions come and go
SELECT sa.* FROM pg_catalog.pg_stat_activity sa

-- query: locks
-- rows: shape
-- because: locks come and go
SELECT l.*, a.usename FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid

-- query: collations
-- rows: subset
-- except: collversion, collowner
-- because: PostgreSQL has those of its operating system
SELECT c.oid, c.collname, c.collprovider, c.collencoding, c.collcollate, c.collctype FROM pg_catalog.pg_collation c

-- query: languages
-- rows: subset
-- except: lanowner, lanvalidator
-- because: extensions bring languages
SELECT l.oid, l.lanname, l.lanispl, l.lanpltrusted, l.lanplcallfoid, l.laninline FROM pg_catalog.pg_language l WHERE l.lanname <> 'plpgsql'

-- query: foreign servers
SELECT fs.oid, fs.*, fdw.fdwname FROM pg_catalog.pg_foreign_server fs JOIN pg_catalog.pg_foreign_data_wrapper fdw ON fdw.oid = fs.srvfdw
