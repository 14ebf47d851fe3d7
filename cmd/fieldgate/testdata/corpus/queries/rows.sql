select row(1,'b c',null), row(), row(1.50, true, '2020-01-01'::date, 'x"y', '', null::int), row(1, row('a', 2.5), array[1,2]), row(array['a','b,c']);
select foo from (select 1 offset 0) as foo;
select r, (r).f1, (r).f2 from (select row(1,'x'::text) as r) s;
select (row(1,2)).f2, (s).b, s.a from (select 1 a, 'z'::text b) s;
select (r).nope from (select row(1,2) as r) s;
select row(1,2)::text, row(1,now())::text is null, 'x' || row(1,2)::text;
select array_agg(x) || array_agg(x) from (values (row(1,2)), (row(3,4))) v(x);
select row(1,2) || array_agg(x) from (values (row(3,4)), (row(5,6))) v(x);
select array_position(ids, (1, 1)), array_positions(ids, (1, 1)) from (values (array[(0, 0), (1, 1)]), (array[(1, 1)])) as f (ids);
select r = row(1,2), r < row(1,3), r <> row(2,1) from (select row(1,2) as r) s;
select r from (values (row(2,'b')), (row(1,'z')), (row(1,null)), (row(1,'a')), (null)) v(r) order by r;
-- refused: rows of several types in one column is not supported
select distinct r from (values (row(1,'a'::text)), (row(1,'a')), (row(2,'a'))) v(r) order by r;
-- refused: rows of several types in one column is not supported
select r, count(*) from (values (row(1.0)), (row(1.00)), (row(2))) v(r) group by r order by 2 desc;
-- refused: rows of several types in one column is not supported
select r is null, r is not null from (values (row(1,null)), (row(null,null)), (row(1,2)), (null)) v(r);
select row_to_json(row(1,'foo')), row_to_json(q), row_to_json(q, true) from (select 1 a, 'x"' b, array[1,2] c, 'NaN'::float8 d, 1.50 e, true f, timestamp '2020-01-01 10:00' g, null h, row(1,2) i) q;
select json_agg(q), jsonb_agg(q), to_json(array_agg(q)), array_to_json(array_agg(q), true) from (select x as b, x * 2 as c from generate_series(1,3) x) q;
select json_build_object('r', r), json_build_array(r), to_jsonb(r) from (select 1 as a, 2 as b) r;
select json_build_object(r, 2) from (select 1 as a, 2 as b) r;
select json_populate_record(row(1,2), '{"f1": 0, "f2": 1}'), json_populate_record(row(1,'q'::text,5), '{"f2": "zz", "f3": null}'), jsonb_populate_record(row(1,2), null);
select json_populate_record(null::record, '{"x": 0, "y": 1}');
select * from json_populate_record(null::record, '{"x": 776}') as (x int, y int);
select json_populate_recordset(row(1,2), '[{"f1": 0, "f2": 1}, {"f1": 5}]');
select * from json_populate_recordset(null::record, '[{"x": 776}, {"x": 1, "y": 2}]') as (x int, y int);
select * from json_to_record('{"a":1,"b":"foo","c":"bar","d":[1,2],"e":{"k":1},"f":"{3,4}","t":"2020-01-01 10:00","n":"1.50","bo":true}') as x(a int, b text, d text, e json, f int[], t timestamptz, n numeric, bo bool, z int);
select * from json_to_recordset('[{"a":1,"b":{"d":"foo"},"c":true},{"a":2,"c":false,"b":{"d":"bar"}}]') as x(a int, b json, c boolean);
select * from jsonb_to_recordset('[{"a":1,"b":{"d":"foo"},"c":true},{"a":2,"c":false,"b":{"d":"bar"}}]') as x(a int, b jsonb, c boolean);
select * from json_to_record('[1]') as x(a int);
select * from json_to_recordset('{"a":1}') as x(a int);
select j.id, x.* from (values (1, '{"a":5}'::jsonb), (2, '{"a":6,"b":"t"}')) j(id, doc), jsonb_to_record(j.doc) as x(a int, b text) order by 1;
select * from json_to_record('{"ia": [[1, 2], [3, 4]]}') as x(ia _int4);
select * from json_to_record('{"ja": [{"a":1}, null, "x"]}') as x(ja json[]);
select * from generate_series(1,2) as (a int);
select json_object('{{a,1},{b,2},{3,NULL},{"d e f","a b c"}}'), json_object('{a,1}'), json_object('{a,b}','{1,2}');
select t from (select 1 a) t union select row(2) order by 1;
select case when true then row(1,2) else row(3,4) end, coalesce(null, row(1,2));
-- refused: a whole row of the nullable side of an outer join is not supported
select a.x, b from (values (1),(2)) a(x) left join (values (1)) b(y) on a.x=b.y order by 1;
select count(distinct r), max(x) from (values (row(1),1),(row(1),2)) v(r,x);
select row(1,'a') in (row(1,'a'), row(2,'b')), r in (row(1,2)) from (select row(1,2) r) s;
select pg_typeof(row(1)), pg_typeof(array[row(1)]), array[row(1,'a b'),row(2,null)], unnest(array[row(1),row(2)]);
-- refused: a set-returning function in the select list of a query that groups, but not by its results is not supported
select unnest(array_agg(r order by r desc)) from (values (row(1,2)),(row(3,4))) v(r);
SELECT o, (o).order_id FROM (SELECT order_id, customer, amount FROM orders) o ORDER BY order_id;
SELECT row_to_json(o) FROM (SELECT order_id, customer, amount, ordered, due, discount FROM orders) o ORDER BY o.order_id;
SELECT region, json_agg(x ORDER BY x.order_id) FROM (SELECT region, order_id, status FROM orders) x GROUP BY region ORDER BY 1;
SELECT id, ROW(id, tz, ts, d, t, iv) FROM moments ORDER BY id;
SELECT id, ROW(i2, i4, r, d, m, k) = ROW(i2, i4, r, d, m, k), to_json(ROW(i4, m)) FROM numbers ORDER BY id;
SELECT ROW(region, status) AS pair, count(*) FROM orders GROUP BY pair ORDER BY pair;
SELECT max(quantity), array_agg(DISTINCT ROW(region)) FROM orders;
SELECT r.id, x.* FROM readings r, jsonb_to_record(r.doc) AS x(a int, b text, tags text[]) WHERE jsonb_typeof(r.doc) = 'object' ORDER BY 1;
SELECT json_populate_record(ROW(order_id, customer), json_build_object('f2', status)) FROM orders ORDER BY order_id;
SELECT timestamptz '2024-01-01 00:00Z' + g FROM (SELECT interval '1h' * i AS g FROM generate_series(1, 2) i) s ORDER BY 1;
SELECT generate_series(timestamptz '2024-01-01 00:00Z', 'infinity', '1 day') LIMIT 3 OFFSET 1;
