-- row: s ~ p
SELECT id, s ~ 'b', s ~* 'B', s !~ 'b', s !~* 'B' FROM strings ORDER BY id;
SELECT id, s ~ '^a', s ~ 'c$', s ~ '^abc$', s ~ '' FROM strings ORDER BY id;
SELECT id, s ~ p FROM strings WHERE p <> '\' ORDER BY id;
SELECT id, s ~* p, s !~ p FROM strings WHERE id < 8 ORDER BY id;
SELECT id FROM strings WHERE s ~ '[[:digit:]]+' ORDER BY id;
SELECT id FROM strings WHERE s ~ '^[A-Z]{3}$' OR s ~ '\d{2,}' ORDER BY id;
SELECT count(*) FROM strings WHERE s !~ 'o';
SELECT sensor, sensor ~ 'th$', sensor !~* '^N' FROM readings ORDER BY id;
SELECT customer FROM orders WHERE customer ~* '^[ab]' GROUP BY customer ORDER BY customer;
SELECT 'abc' ~ 'a.c', 'a.c' ~ 'a\.c', 'abc' ~ 'a\.c', E'a\nc' ~ 'a.c', E'a\nc' ~ 'a$';
SELECT s ~ ANY (ARRAY['^a', 'o$']) FROM strings ORDER BY id;
SELECT s !~ ALL (ARRAY['a', 'b']) FROM strings ORDER BY id;
-- row: SIMILAR TO
SELECT id, s SIMILAR TO '%b%', s NOT SIMILAR TO '%b%' FROM strings ORDER BY id;
SELECT id, s SIMILAR TO 'a_c', s SIMILAR TO '(foo|x)%', s SIMILAR TO '[a-z]+' FROM strings ORDER BY id;
SELECT id FROM strings WHERE s SIMILAR TO '%[0-9]{2}%' ORDER BY id;
SELECT 'abc' SIMILAR TO 'abc', 'abc' SIMILAR TO 'a', 'abc' SIMILAR TO '%(b|d)%', 'abc' SIMILAR TO '(b|c)%', 'a.c' SIMILAR TO 'a.c', 'abc' SIMILAR TO 'a.c';
SELECT count(*) FROM readings WHERE label SIMILAR TO '(alpha|Beta)';
SELECT customer SIMILAR TO '(A|B)%' AS ab, count(*) FROM orders GROUP BY 1 ORDER BY 1;
SELECT s SIMILAR TO p FROM strings WHERE id IN (1, 3, 6) ORDER BY id;
-- row: LIKE escape
SELECT id, s LIKE '%\%%', s LIKE 'under\_%', s LIKE '%\\%' FROM strings ORDER BY id;
SELECT id, s LIKE 'a%', s ILIKE 'A%', s NOT LIKE '%o%', s NOT ILIKE '%O%' FROM strings ORDER BY id;
SELECT id, s LIKE '100!%' ESCAPE '!', s LIKE '%' ESCAPE '' FROM strings ORDER BY id;
SELECT id, s LIKE '%' || p || '%' FROM strings ORDER BY id;
SELECT id, s ~~ 'a%', s !~~ 'a%', s ~~* 'A%', s !~~* 'A%' FROM strings ORDER BY id;
SELECT id FROM strings WHERE s LIKE ANY (ARRAY['a%', '%o']) ORDER BY id;
SELECT id FROM strings WHERE s NOT LIKE ALL (ARRAY['a%', '%o%']) ORDER BY id;
SELECT id FROM strings WHERE s ILIKE ANY ('{"ÄÖ%",%FOO%}') ORDER BY id;
SELECT label FROM readings WHERE label LIKE '%\_%' OR label LIKE '\%' ORDER BY label;
SELECT 'a\b' LIKE 'a\\b', 'a\b' LIKE 'a\b', 'a_b' LIKE 'a\_b', 'axb' LIKE 'a\_b';
SELECT s LIKE p ESCAPE '#' FROM strings ORDER BY id;
SELECT 'x' LIKE 'x' ESCAPE 'ab';
SELECT like_escape('a#%', '#'), 'ÄB' ILIKE 'äb', 'a' LIKE 'A';
SELECT count(*) FILTER (WHERE customer LIKE '%a%'), count(*) FILTER (WHERE customer ILIKE '%A%') FROM orders;
-- row: regexp_matches
SELECT id, regexp_matches(s, '[a-z]+') FROM strings ORDER BY id;
SELECT id, regexp_matches(s, '([a-z])([0-9])', 'g') FROM strings ORDER BY id, 2;
SELECT regexp_matches('foobarbequebaz', '(bar)(beque)');
SELECT m[1], m[2] FROM (SELECT regexp_matches(s, '(\w)(\w)') AS m FROM strings WHERE id < 10) q ORDER BY 1, 2;
SELECT * FROM regexp_matches('a1b2c3', '([a-z])(\d)', 'g') AS m;
SELECT (regexp_matches(label, '[a-z]+'))[1] AS first FROM readings ORDER BY 1;
SELECT id, (SELECT count(*) FROM regexp_matches(s, 'a', 'g')) FROM strings ORDER BY id;
SELECT string_agg(m[1], ',' ORDER BY m[1]) FROM strings, regexp_matches(s, '[a-z]', 'g') AS m;
-- row: split_part, decode, sha256
SELECT id, split_part(s, ' ', 1), split_part(s, ' ', 2), split_part(s, ',', -1) FROM strings ORDER BY id;
SELECT id, split_part(s, '', 1), split_part(s, '', 2), split_part(s, p, 1) FROM strings ORDER BY id;
SELECT id, split_part(s, 'o', n)  FROM strings ORDER BY id;
SELECT split_part('a,b,c', ',', 0);
SELECT decode('616263', 'hex'), decode('YWJj', 'base64'), decode('a\\b\001', 'escape');
SELECT decode('6162', 'hex') = 'ab'::bytea, length(decode('00ff', 'hex'));
SELECT sha256('abc'), sha224('abc'), sha384('abc'), sha512('abc'), sha256('\x');
SELECT id, encode(sha256(s::bytea), 'hex') FROM strings ORDER BY id;
SELECT id, sha256(raw), md5(raw) FROM readings ORDER BY id;
SELECT region, max(split_part(customer, 'a', 1)) FROM orders GROUP BY region ORDER BY region;
-- row: substr
SELECT id, substr(s, 2), substr(s, 0), substr(s, -1) FROM strings ORDER BY id;
SELECT id, substring(s FROM 2 FOR 2), substring(s FROM 3), substring(s FOR 2) FROM strings ORDER BY id;
SELECT id, substring(s, n), left(s, 2), right(s, 2) FROM strings ORDER BY id;
SELECT id, left(s, -1), right(s, -2), left(s, n), right(s, n) FROM strings ORDER BY id;
SELECT substr('abcdef', -1, 3), substr('abcdef', 2, 0), substr('abcdef', 10), substr('abcdef', -5, 5);
SELECT substring('日本語' FROM 2 FOR 1), left('日本語', 2), right('日本語', -1);
SELECT substring(raw FROM 2), substring(raw FROM 1 FOR 1), substr(raw, 2) FROM readings ORDER BY id;
SELECT position('b' IN s), strpos(s, p), position('' IN s) FROM strings ORDER BY id;
SELECT substring(customer FROM 1 FOR 1) AS initial, count(*) FROM orders GROUP BY 1 ORDER BY 1;
-- row: format
SELECT id, format('%s', s), format('[%s]', n), format('%s-%s', id, s) FROM strings ORDER BY id;
SELECT id, format('%I', s), format('%L', s) FROM strings ORDER BY id;
SELECT id, format('%10s|%-10s|', id, n) FROM strings ORDER BY id;
SELECT format('%s', NULL), format('%L', NULL), format('%%'), format('%s %s', 'a', 'b'), format('%2$s %1$s', 'a', 'b');
SELECT format('%s', true), format('%s', 1.50), format('%s', ARRAY[1, 2]), format('%s', now() > '2000-01-01');
SELECT format('%s', VARIADIC ARRAY['a', 'b']), format('%s %s', VARIADIC ARRAY['a', 'b']);
SELECT format('%s of %s', quantity, amount) FROM orders ORDER BY order_id;
SELECT format('SELECT %I FROM %I WHERE x = %L', "Odd Name", name, tags) FROM sensors ORDER BY name;
SELECT format(s, n) FROM strings WHERE id IN (1, 2, 7) ORDER BY id;
-- row: to_hex, md5, encode
SELECT id, to_hex(i4), to_hex(i8) FROM numbers ORDER BY id;
SELECT id, md5(s) FROM strings ORDER BY id;
SELECT id, encode(s::bytea, 'hex'), encode(s::bytea, 'base64') FROM strings ORDER BY id;
SELECT id, encode(raw, 'hex'), encode(raw, 'escape'), encode(raw, 'base64') FROM readings WHERE raw IS NOT NULL ORDER BY id;
SELECT to_hex(255), to_hex(-1), to_hex(-1::int8), to_hex(0), upper(to_hex(48879));
SELECT md5(''), md5('abc'), md5('\x616263'::bytea), md5(NULL);
SELECT encode('\xdeadbeef', 'hex'), encode(E'\\000\\377'::bytea, 'escape'), encode(repeat('x', 80)::bytea, 'base64');
SELECT encode('abc', 'nothing');
SELECT encode(decode('DEADbeef', 'hex'), 'hex'), decode(encode('Hello', 'base64'), 'base64');
SELECT md5(customer || region), count(*) FROM orders GROUP BY 1 ORDER BY 1;
SELECT md5(id::text || coalesce(label, '')) FROM readings ORDER BY id;
-- row: bytea literals
SELECT length('\x616263'::bytea), octet_length('\x00'::bytea), bit_length('\x0102'::bytea);
SELECT '\x61'::bytea || '\x62', '\x61'::bytea = 'a'::bytea, '\x61' < '\x62'::bytea;
SELECT get_byte('\x1234'::bytea, 0), get_byte('\x1234'::bytea, 1), set_byte('\x1234'::bytea, 0, 255), get_bit('\x80'::bytea, 7);
SELECT get_byte('\x12'::bytea, 5);
SELECT id, raw, length(raw), raw || '\x00' FROM readings ORDER BY id;
SELECT raw, count(*) FROM readings GROUP BY raw ORDER BY raw;
SELECT id FROM readings WHERE raw > '\x61' ORDER BY raw, id;
SELECT min(raw::text), max(raw::text) FROM readings;
SELECT position('\x62'::bytea IN 'abc'::bytea), overlay('abc'::bytea PLACING 'X'::bytea FROM 2), trim('\x00'::bytea FROM '\x0061'::bytea), reverse('abc');
SELECT convert_from('\xc3a9', 'UTF8'), convert_to('é', 'UTF8'), convert_to('é', 'LATIN1');
SELECT convert_from('\xff', 'UTF8');
SELECT string_agg(raw, '\x2c' ORDER BY id) FROM readings WHERE id < 5;
-- row: varchar(n), char(n)
SELECT id, s::varchar(3), s::char(5), s::varchar FROM strings ORDER BY id;
SELECT id, length(s::char(5)), s::char(5) || '|', octet_length(s::char(6)) FROM strings ORDER BY id;
SELECT id, site, site::char(3), site::varchar(2) FROM readings ORDER BY id;
SELECT 'abc'::char(5) = 'abc', 'abc  '::char(5) = 'abc'::char(3), 'abc '::varchar = 'abc', 'a'::char(3) < 'b';
SELECT pg_typeof('a'::char(3)), pg_typeof('a'::varchar(3)), pg_typeof('a'::"char"), 'abc'::"char";
SELECT site, count(*) FROM readings GROUP BY site ORDER BY site NULLS LAST;
SELECT site || '-' || sensor FROM readings ORDER BY id;
SELECT upper(site), length(site), site LIKE 'l%' FROM readings ORDER BY id;
SELECT coalesce(site, 'none'), nullif(site, 'lab'), greatest(site, 'k') FROM readings ORDER BY id;
-- refused: operator character ~~ text is not supported
SELECT 'a '::char(2) LIKE 'a', 'a '::char(2) LIKE 'a ', 'a'::char(3) || 'b'::char(3), concat('a'::char(3), 'b');
SELECT x, count(*) FROM (VALUES ('a'::char(3)), ('a  '), ('b')) v(x) GROUP BY x ORDER BY x;
SELECT CASE WHEN true THEN 'a'::char(3) ELSE 'b'::varchar END, 'a'::char(4)::text || '|';
-- row: bool concat
SELECT id, ok, ok::text, ok || '', concat(ok), concat(ok, ok), concat_ws('-', ok, id) FROM readings ORDER BY id;
SELECT concat(true), concat(false, NULL, 1), 'x' || true, true || 'x', true::text, format('%s', false);
SELECT concat_ws(',', true, NULL, 'a', 1.50), concat_ws(NULL, 'a'), concat(NULL);
SELECT string_agg(ok::text, ',' ORDER BY id) FROM readings;
SELECT concat(1, 2.50, 'a', true, NULL, '2024-01-01'::date), concat(ARRAY[true, NULL]), ARRAY[false]::text, concat(1e20::float8);
SELECT ok AND n4 > 0, ok OR n4 > 0, NOT ok, ok IS TRUE, ok IS NOT FALSE, ok IS UNKNOWN FROM readings ORDER BY id;
SELECT ok, count(*) FROM readings GROUP BY ok ORDER BY ok DESC;
SELECT bool_and(ok), bool_or(ok), every(ok) FROM readings;
SELECT true < false, true > false, true = 't', greatest(true, false), max(ok::int) FROM readings GROUP BY 1, 2, 3, 4;
SELECT ok::int::bool, ok::text::bool, (ok::int + 1) FROM readings ORDER BY id;
-- row: float text
SELECT id, d::text, r::text FROM numbers ORDER BY id;
SELECT id, d || '', concat(r), concat_ws(':', d, r) FROM numbers ORDER BY id;
SELECT 1.0::float8::text, 1e15::float8::text, 1e14::float8::text, 123456789012345678::float8::text, 0.0001::float8::text, 0.00001::float8::text;
SELECT f8::text || ' C', length(f8::text), f4::text FROM readings ORDER BY id;
SELECT f8::text, count(*) FROM readings GROUP BY f8::text ORDER BY f8::text;
SELECT 0.1::real::float8, 0.1::float8::real, 0.1::real = 0.1::float8, 0.1::real = 0.1::real;
SELECT f4::float8, f4 = f4::float8, f8::real FROM readings WHERE abs(f8) < 1e30 AND f8 <> 0 AND abs(f8) > 1e-30 ORDER BY id;
SELECT string_agg(discount::text, ' ' ORDER BY order_id) FROM orders;
SELECT discount::numeric, discount::text::numeric, (discount * 100)::int FROM orders ORDER BY order_id;
-- set: SET extra_float_digits = 0
SELECT 0.1::float8 + 0.2::float8, 1::float8 / 3, 1::real / 3, 100::float8;
-- set: SET extra_float_digits = -3
SELECT 1::float8 / 3, 2::real / 3, f8 FROM readings ORDER BY id;
-- set: RESET extra_float_digits
-- row: identifier case
SELECT "Odd Name", "select", "UPPER", upper FROM sensors ORDER BY name;
SELECT NAME, Site, INSTALLED FROM Sensors ORDER BY nAmE;
SELECT "Nam" FROM sensors;
SELECT s."Odd name " FROM sensors s;
SELECT * FROM "Sensors ";
SELECT s."UPPER" + s.upper AS "Sum Of", s."select" "Select" FROM sensors AS s ORDER BY "Sum Of";
SELECT "x y".id FROM numbers AS "x y" ORDER BY "x y".id LIMIT 3;
SELECT T1.ID, "t1".id FROM numbers t1 ORDER BY t1.Id LIMIT 2;
SELECT count(*) AS "Count", max(i4) AS "Max I4" FROM numbers;
SELECT q."A" FROM (SELECT 1 AS "A", 2 AS a) q;
SELECT q.a FROM (SELECT 1 AS "A", 2 AS a) q;
SELECT q.A, q."A" FROM (SELECT 1 AS "A", 2 AS "a") q;
WITH "My CTE" AS (SELECT 1 AS "X") SELECT "X" FROM "My CTE";
WITH "My CTE" AS (SELECT 1 AS "X") SELECT x FROM "My CTE";
SELECT upper("Odd Name"), "UPPER"::text FROM sensors WHERE "UPPER" > 10 ORDER BY "UPPER" DESC;
SELECT sum(amount) AS "TOTAL" FROM orders GROUP BY region ORDER BY "TOTAL";
SELECT sum(amount) AS "TOTAL" FROM orders GROUP BY region ORDER BY TOTAL;
SELECT COUNT(*), Max(ORDER_ID), MIN("order_id") FROM ORDERS;
-- row: identifiers > 63 bytes
SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaX FROM (SELECT 1 AS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaY) q;
SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.id FROM numbers aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab WHERE id < 3;
WITH aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1 AS (SELECT 7 AS x) SELECT * FROM aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2;
SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1 FROM numbers;
SELECT max(i4) AS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1, min(i4) AS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2 FROM numbers;
SELECT i4 AS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1 FROM numbers ORDER BY aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa9;
SELECT "日本語日本語日本語日本語日本語日本語日本語日本語" FROM (SELECT 1 AS "日本語日本語日本語日本語日本語日本語日本語日本語X") q;
SELECT sum(x) OVER aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1 FROM (VALUES (1), (2)) v(x) WINDOW aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2 AS (ORDER BY x);
SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(1);
SELECT t.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1 FROM (VALUES (1)) t(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2);
-- row: SIMILAR TO
SELECT label FROM readings WHERE label NOT SIMILAR TO '[a-z]%' ORDER BY label;
SELECT id, s SIMILAR TO '%(a|o)%' AND length(s) > 2 FROM strings ORDER BY id;
SELECT string_agg(customer, ',' ORDER BY order_id) FROM orders WHERE customer SIMILAR TO '%n%';
SELECT order_id FROM orders WHERE region || status SIMILAR TO '(north|east)(new|paid)' ORDER BY 1;
-- row: regexp_matches
SELECT count(*) FROM (SELECT regexp_matches(s, 'o', 'g') FROM strings) q;
SELECT id FROM strings WHERE EXISTS (SELECT 1 FROM regexp_matches(s, '\d')) ORDER BY id;
SELECT order_id, (SELECT array_agg(m[1]) FROM regexp_matches(region, '[aeiou]', 'g') m) FROM orders WHERE order_id < 6 ORDER BY 1;
-- row: substr
SELECT id, substr(s, length(s)), substr(s, length(s) - 1, 1) FROM strings ORDER BY id;
SELECT substr(region, quantity), substr(status, -quantity, 6) FROM orders ORDER BY order_id;
-- row: format
SELECT format('%s|%s', ordered, due) FROM orders ORDER BY order_id;
SELECT format('%5s|%-6s|%L', id, d, m) FROM numbers ORDER BY id;
