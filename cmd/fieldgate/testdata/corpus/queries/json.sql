-- row: json text
SELECT id, doc, js FROM readings ORDER BY id;
SELECT id, doc::text, js::text FROM readings ORDER BY id;
SELECT '{"a":1}'::jsonb = '{"a":1.0}'::jsonb, '{"a":1,"b":2}'::jsonb = '{"b":2,"a":1}'::jsonb;
SELECT js::jsonb, doc::json FROM readings ORDER BY id;
SELECT doc, count(*) FROM readings GROUP BY doc ORDER BY count(*), doc::text;
SELECT DISTINCT doc -> 'k' FROM readings WHERE doc ? 'k';
SELECT config, config::text, length(config::text) FROM sensors ORDER BY name;
SELECT to_jsonb(1.50), to_jsonb('a"b'::text), to_jsonb(NULL::text), to_jsonb(true), to_json(ARRAY[1, 2]), to_jsonb(date '2024-01-01');
SELECT '[]'::jsonb || '{}'::jsonb, '{"a": 1}'::jsonb || '{"a": 2}', '[1]'::jsonb || '2';
-- row: j->>'k' binds
SELECT id FROM readings WHERE doc->>'k' = 'x' AND doc->>'v' = '10' ORDER BY id;
SELECT id, doc->>'k' = 'x' FROM readings ORDER BY id;
SELECT id, doc->'a', doc->>'a', doc->0, doc->>1, doc->-1 FROM readings ORDER BY id;
SELECT id, doc#>'{b,c}', doc#>>'{b,c,0}', doc #> '{a,b,c}' FROM readings ORDER BY id;
SELECT id, js->'a', js->>'a', js#>>'{a,b,c}' FROM readings ORDER BY id;
SELECT id FROM readings WHERE (doc->>'v')::int > 10 ORDER BY id;
SELECT doc->>'k' AS k, count(*), sum((doc->>'v')::numeric) FROM readings WHERE doc ? 'k' GROUP BY doc->>'k' ORDER BY 1;
SELECT id FROM readings WHERE doc->'b'->>'c' IS NOT NULL ORDER BY id;
SELECT id, 'x' || (doc->>'k') || '!', doc->>'k' || '!' FROM readings WHERE doc ? 'k' ORDER BY id;
SELECT config->>'unit' AS unit, name FROM sensors ORDER BY config->>'unit' NULLS FIRST, name;
SELECT id FROM readings WHERE doc->>'k' IN ('x', 'z') OR doc->>'name' LIKE 'O%' ORDER BY id;
SELECT id, coalesce(doc->>'k', doc->>'name', 'none') FROM readings ORDER BY id;
SELECT doc->>'k' IS NULL, (doc->>'n') IS NULL, doc->'n' IS NULL FROM readings WHERE id = 2;
SELECT id FROM readings WHERE doc @> '{"k": "x"}' ORDER BY id;
SELECT id FROM readings WHERE doc <@ '{"k": "x", "v": 10, "w": 1}' ORDER BY id;
SELECT id FROM readings WHERE doc ?| ARRAY['a', 'u'] ORDER BY id;
SELECT id FROM readings WHERE doc ?& ARRAY['k', 'v'] ORDER BY id;
SELECT id, doc - 'a', doc - ARRAY['k', 'v'] FROM readings WHERE jsonb_typeof(doc) = 'object' ORDER BY id;
SELECT '[1, 2, 3]'::jsonb - 1, '["a", "b"]'::jsonb - 'a', '{"a": {"b": 1}}'::jsonb #- '{a,b}';
SELECT '{"a": 1}'::jsonb ? 'a', '["a"]'::jsonb ? 'a', '{"a": 1}'::jsonb ? 'b';
SELECT id, jsonb_typeof(doc), json_typeof(js) FROM readings ORDER BY id;
SELECT jsonb_typeof('1'), jsonb_typeof('null'), jsonb_typeof('[]'), json_typeof('"x"');
SELECT jsonb_typeof(doc) AS t, count(*) FROM readings GROUP BY 1 ORDER BY 1;
SELECT id FROM readings WHERE jsonb_typeof(doc -> 'b') = 'object';
SELECT name, jsonb_typeof(config->'range') FROM sensors ORDER BY name;
SELECT id, jsonb_array_length(doc) FROM readings WHERE jsonb_typeof(doc) = 'array' ORDER BY id;
SELECT jsonb_array_length('[]'), json_array_length('[1, [2, 3]]'), jsonb_array_length('[null]'::jsonb);
SELECT jsonb_array_length('{}');
SELECT name, jsonb_array_length(config->'range') FROM sensors WHERE config ? 'range' ORDER BY name;
SELECT sum(jsonb_array_length(doc)) FROM readings WHERE doc::text LIKE '[%';
SELECT * FROM jsonb_array_elements('[1, {"a": 2}, null]');
SELECT id, e FROM readings, jsonb_array_elements(doc) e WHERE jsonb_typeof(doc) = 'array' ORDER BY id, e::text;
SELECT value FROM json_array_elements('[1, "two", [3]]');
SELECT e->>'id', e->>'n' FROM readings r, jsonb_array_elements(r.doc->'arr') AS e WHERE r.id = 24;
SELECT jsonb_array_elements('"x"'::jsonb);
SELECT * FROM jsonb_array_elements_text('["a", 1, null, true]') AS t(v);
SELECT jsonb_array_elements_text('["b", "a"]'::jsonb) ORDER BY 1;
SELECT name, r FROM sensors, jsonb_array_elements_text(config->'range') AS r ORDER BY name, r;
SELECT count(*) FROM json_array_elements_text('[1, 2, 3]') AS x WHERE x <> '2';
SELECT string_agg(x, '+' ORDER BY x) FROM jsonb_array_elements_text('["q", "p"]') x;
SELECT key, value FROM jsonb_each('{"a": 1, "b": {"c": 2}}') ORDER BY key;
SELECT id, k.key, k.value FROM readings, jsonb_each(doc) AS k WHERE jsonb_typeof(doc) = 'object' ORDER BY id, k.key;
SELECT * FROM json_each('{"x": [1], "y": null}');
SELECT name, e.* FROM sensors, jsonb_each(config) e ORDER BY name, key;
SELECT count(DISTINCT key) FROM readings, jsonb_each(CASE WHEN jsonb_typeof(doc) = 'object' THEN doc END);
SELECT * FROM jsonb_each_text('{"a": "x", "b": null, "c": 1.0}') ORDER BY 1;
SELECT key, max(value) FROM readings, jsonb_each_text(doc) WHERE jsonb_typeof(doc) = 'object' GROUP BY key ORDER BY key;
SELECT value FROM json_each_text('{"k": "v"}') WHERE key = 'k';
-- refused: function jsonb_each_text, which returns rows, in a select list is not supported
SELECT (jsonb_each_text('{"a": 1}'::jsonb)).key;
SELECT name, u.value AS unit FROM sensors s, jsonb_each_text(s.config) u WHERE u.key = 'unit' ORDER BY name;
SELECT jsonb_object_keys('{"b": 1, "a": 2}'::jsonb);
SELECT DISTINCT jsonb_object_keys(doc) AS k FROM readings WHERE jsonb_typeof(doc) = 'object' ORDER BY k;
SELECT k FROM sensors, jsonb_object_keys(config) k ORDER BY name, k;
SELECT count(*) FROM json_object_keys('{"a": 1, "a": 2}') x;
SELECT jsonb_extract_path(doc, 'b', 'c'), jsonb_extract_path_text(doc, 'a', 'b', 'c') FROM readings ORDER BY id;
SELECT json_extract_path(js, 'k'), json_extract_path_text(js, 'k') FROM readings ORDER BY id;
SELECT jsonb_extract_path_text('{"a": [1, 2]}', 'a', '1'), jsonb_extract_path('{"a": 1}', 'z') IS NULL;
SELECT id FROM readings WHERE jsonb_extract_path_text(doc, 'k') = 'x' ORDER BY id;
SELECT jsonb_extract_path(config, 'range', '0')::text::int + 1 FROM sensors WHERE name = 'north';
SELECT jsonb_set('{"a": 1, "b": [1, 2]}', '{b,0}', '9'), jsonb_set('{"a": 1}', '{c}', '2', false), jsonb_set('{"a": 1}', '{c}', '2');
SELECT name, jsonb_set(config, '{unit}', '"X"') FROM sensors ORDER BY name;
SELECT jsonb_set('{"a": {"b": 1}}'::jsonb, ARRAY['a', 'b'], to_jsonb(5));
SELECT jsonb_set(doc, '{zz}', '"new"') FROM readings WHERE doc ? 'zz';
SELECT jsonb_insert('{"a": [0, 1]}', '{a,1}', '"x"'), jsonb_insert('{"a": [0, 1]}', '{a,1}', '"x"', true);
SELECT name, jsonb_insert(config, '{range,0}', '-1') FROM sensors WHERE config ? 'range' ORDER BY name;
SELECT jsonb_strip_nulls('{"a": null, "b": [null, {"c": null}]}'), json_strip_nulls('{"a": null, "b": 1}');
SELECT id, jsonb_strip_nulls(doc) FROM readings ORDER BY id;
SELECT jsonb_strip_nulls(config) = config FROM sensors ORDER BY name;
SELECT jsonb_strip_nulls('[null]'), jsonb_strip_nulls('null');
SELECT count(*) FROM sensors WHERE jsonb_strip_nulls(config) ? 'unit';
SELECT jsonb_pretty('{"a": [1, {"b": 2}], "c": {}}');
SELECT jsonb_pretty(config) FROM sensors ORDER BY name;
SELECT id, length(jsonb_pretty(doc)) FROM readings ORDER BY id;
SELECT jsonb_pretty(jsonb_agg(id ORDER BY id)) FROM numbers WHERE id < 3;
SELECT jsonb_build_object('a', 1, 'b', NULL, 'c', ARRAY[1, 2], 'd', true, 'e', 1.50, 'f', '2024-01-01'::date);
SELECT order_id, jsonb_build_object('id', order_id, 'who', customer, 'amount', amount) FROM orders ORDER BY order_id;
SELECT jsonb_build_object(), jsonb_build_object('x', jsonb_build_object('y', 1));
SELECT jsonb_build_object(NULL, 1);
SELECT jsonb_agg(jsonb_build_object('k', id, 'd', d) ORDER BY id) FROM numbers WHERE id < 4;
SELECT json_build_object('a', 1, 'b', 'x', 'c', NULL);
SELECT json_build_object('when', ordered, 'due', due, 'qty', quantity) FROM orders ORDER BY order_id;
SELECT json_build_object(region, count(*)) FROM orders GROUP BY region ORDER BY region;
SELECT json_build_object('n', m, 'f', d) FROM numbers ORDER BY id;
SELECT json_build_object('nested', json_build_array(1, json_build_object('x', 2)));
SELECT json_build_array(1, 'a', NULL, true, 2.50), json_build_array();
SELECT json_build_array(id, s, n) FROM strings ORDER BY id;
SELECT json_build_array(ts, tz, d, t, iv) FROM moments ORDER BY id;
SELECT json_build_array(gap, uid, raw) FROM readings ORDER BY id;
SELECT json_array_length(json_build_array(customer, region)) FROM orders ORDER BY order_id LIMIT 2;
SELECT jsonb_build_array(1, 'x', NULL), jsonb_build_array(jsonb_build_array());
SELECT jsonb_build_array(id, ok, label) FROM readings ORDER BY id;
SELECT jsonb_build_array(amount, discount, shipped) FROM orders ORDER BY order_id;
SELECT jsonb_build_array(VARIADIC ARRAY['a', 'b']);
SELECT jsonb_build_array(max(id), min(id)) FROM numbers;
SELECT json_agg(id ORDER BY id) FROM numbers;
SELECT json_agg(customer) FILTER (WHERE customer IS NOT NULL AND order_id = 1) FROM orders;
SELECT region, json_agg(order_id ORDER BY order_id DESC) FROM orders GROUP BY region ORDER BY region;
SELECT json_agg(json_build_object('id', id, 's', s) ORDER BY id) FROM strings WHERE id < 5;
SELECT json_agg(ordered ORDER BY order_id), json_agg(due ORDER BY order_id) FROM orders WHERE order_id < 4;
SELECT json_agg(x) FROM (SELECT 1 WHERE false) q(x);
SELECT jsonb_agg(s ORDER BY id) FROM strings;
SELECT jsonb_agg(DISTINCT region) FROM orders;
SELECT status, jsonb_agg(amount ORDER BY order_id) FROM orders GROUP BY status ORDER BY status;
SELECT jsonb_agg(d ORDER BY id), jsonb_agg(r ORDER BY id) FROM numbers;
SELECT jsonb_agg(m ORDER BY id) FROM numbers WHERE m <> 'NaN' AND m < 'Infinity' AND m > '-Infinity';
SELECT jsonb_array_length(jsonb_agg(id)) FROM readings;
-- refused: aggregate json_object_agg("any", "any") is not supported
SELECT json_object_agg(name, threshold ORDER BY name) FROM sensors;
-- refused: aggregate json_object_agg("any", "any") is not supported
SELECT json_object_agg(order_id, customer ORDER BY order_id) FROM orders WHERE order_id < 5;
-- refused: aggregate json_object_agg("any", "any") is not supported
SELECT region, json_object_agg(order_id, amount ORDER BY order_id) FROM orders GROUP BY region ORDER BY region;
-- refused: aggregate json_object_agg("any", "any") is not supported
SELECT json_object_agg(NULL, 1);
-- refused: aggregate json_object_agg("any", "any") is not supported
SELECT json_object_agg(s, id ORDER BY id) FROM strings WHERE s IS NOT NULL AND id < 6;
-- refused: aggregate jsonb_object_agg("any", "any") is not supported
SELECT jsonb_object_agg(name, config) FROM sensors;
-- refused: aggregate jsonb_object_agg("any", "any") is not supported
SELECT jsonb_object_agg(region, n) FROM (SELECT region, count(*) AS n FROM orders GROUP BY region) q;
-- refused: aggregate jsonb_object_agg("any", "any") is not supported
SELECT jsonb_object_agg(k, v) FROM (VALUES ('b', 1), ('a', NULL)) t(k, v);
-- refused: aggregate jsonb_object_agg("any", "any") is not supported
SELECT jsonb_object_agg(id, label) FROM readings WHERE id < 6;
-- refused: aggregate jsonb_object_agg("any", "any") is not supported
SELECT jsonb_object_agg(status, 1) FILTER (WHERE order_id < 3) FROM orders;
SELECT row_to_json(q) FROM (SELECT order_id, customer, amount FROM orders) q ORDER BY order_id;
SELECT row_to_json(row(1, 'a', NULL));
SELECT row_to_json(s) FROM sensors s ORDER BY name;
SELECT row_to_json(n) FROM (SELECT id, d, m FROM numbers WHERE id < 4) n ORDER BY id;
SELECT row_to_json(x, true) FROM (SELECT 1 AS a, 'b' AS c) x;
SELECT to_json(s), to_json(n) FROM strings ORDER BY id;
SELECT to_json(ts), to_json(tz), to_json(d), to_json(iv) FROM moments ORDER BY id;
SELECT to_json(ARRAY['a', NULL, 'b"c']), to_json(ARRAY[]::int[]), to_json('x'::text);
SELECT to_json(ok), to_json(num), to_json(f8) FROM readings ORDER BY id;
SELECT to_json(q) FROM (SELECT 1 AS a, ARRAY[1, 2] AS b) q;
SELECT to_jsonb(s), to_jsonb(id) FROM strings ORDER BY id;
SELECT to_jsonb(amount), to_jsonb(discount) FROM orders ORDER BY order_id;
SELECT to_jsonb(ARRAY[1.5, NULL]), to_jsonb('{"a": 1}'::json), to_jsonb(uid) FROM readings WHERE id = 1;
SELECT to_jsonb(q)->>'customer' FROM (SELECT customer, region FROM orders ORDER BY order_id LIMIT 3) q;
SELECT jsonb_object('{a,1,b,2}'), jsonb_object(ARRAY['a', 'b'], ARRAY['1', NULL]), json_object('{x,y}');
SELECT jsonb_object(ARRAY[ARRAY['a', '1'], ARRAY['b', '2']]);
SELECT jsonb_object('{a}');
SELECT jsonb_object(array_agg(name), array_agg(site)) FROM sensors;
SELECT json_object(string_to_array('k,v', ',')) ->> 'k';
SELECT * FROM jsonb_to_record('{"a": 1, "b": "x"}') AS t(a int, b text, c date);
SELECT * FROM jsonb_to_recordset('[{"a": 1}, {"a": 2, "b": "y"}]') AS t(a int, b text);
-- refused: reading text as type jsonpath is not supported
SELECT jsonb_path_query('{"a": [1, 2, 3]}', '$.a[*] ? (@ > 1)');
-- refused: reading text as type jsonpath is not supported
SELECT id FROM readings WHERE jsonb_path_exists(doc, '$.k') ORDER BY id;
-- refused: reading text as type jsonpath is not supported
SELECT jsonb_path_query_first(doc, '$.a') FROM readings ORDER BY id;
-- refused: reading text as type jsonpath is not supported
SELECT '{"a": 1}'::jsonb @? '$.a', '{"a": 1}'::jsonb @@ '$.a == 1';
-- row: json text
SELECT id, doc = js::jsonb FROM readings ORDER BY id;
SELECT max(length(doc::text)), min(length(js::text)) FROM readings;
-- row: j->>'k' binds
SELECT jsonb_set(doc, '{k}', '"z"') -> 'k' FROM readings WHERE doc ? 'k' ORDER BY id;
SELECT jsonb_insert(doc, '{new}', '1') FROM readings WHERE doc ? 'k' ORDER BY id;
SELECT jsonb_insert(config, '{a}', '1') ->> 'a' FROM sensors ORDER BY name;
SELECT count(jsonb_insert(doc, '{q}', '2')) FROM readings WHERE jsonb_typeof(doc) = 'object';
SELECT jsonb_pretty(jsonb_build_object('a', id)) FROM numbers WHERE id < 3 ORDER BY id;
SELECT count(*) FROM readings, jsonb_array_elements(doc->'arr');
SELECT max(e::text) FROM readings, jsonb_array_elements(doc) e WHERE jsonb_typeof(doc) = 'array';
SELECT id, count(x) FROM readings LEFT JOIN LATERAL jsonb_array_elements_text(doc->'tags') x ON true GROUP BY id ORDER BY id;
SELECT id, count(k) FROM readings, jsonb_each(doc->'b') AS k GROUP BY id ORDER BY id;
SELECT name, max(value) FROM sensors, jsonb_each_text(config) GROUP BY name ORDER BY name;
SELECT id FROM readings WHERE 'k' IN (SELECT jsonb_object_keys(doc) WHERE jsonb_typeof(doc) = 'object') ORDER BY id;
SELECT count(*), min(k) FROM readings, jsonb_object_keys(doc->'b') k;
SELECT string_agg(k, ',' ORDER BY k) FROM jsonb_object_keys((SELECT config FROM sensors WHERE name = 'north')) k;
SELECT jsonb_object(ARRAY['n', name]) FROM sensors ORDER BY name;
SELECT jsonb_extract_path(doc, 'a') IS NULL FROM readings ORDER BY id;
SELECT count(jsonb_extract_path(config, 'unit')) FROM sensors;
