select '1'::jsonb < '2'::jsonb, '[]'::jsonb < 'null'::jsonb, '{"a":1}'::jsonb >= '{"a":1.0}'::jsonb, jsonb_cmp('1','2'), jsonb_lt('1','2'), jsonb_ge('1','2');
select row('1'::jsonb) < row('2'::jsonb), row('10.0.0.2'::inet) < row('9.0.0.0'::inet), row('[10,20)'::int4range) < row('[9,20)'::int4range);
select x from (values (row('[10,20)'::int4range)),(row('[9,12)'::int4range))) v(x) order by x;
select area(case when n4 > 3 then cast(null as box) else null end) from readings;
select json_object_agg(distinct sensor, doc) from readings where sensor is not null;
select convert_from('\xff', 'xx');
