select a, b from t
select * from t
select t.a, x.b as bb from t x join t on t.a = x.a
select a + 1 as q, 'x' as lit, b || 'y' as c, n * 2 as d, -1 as neg, 1.5 as num from t
select a from t where a > 5 and b = 'x' or not n < 3
select a from t where a > 1 and n > 2 and b like 'q%'
select a from t where n > 1 and d > 2.5 and a <> 3
select a from t where a in (1, 2, 3) and b in ('x', 'y') and a not in (4, 5) and b in ('z')
select a from t where a between 1 and 10 and b not between 'a' and 'c'
select a from t where b is null or a is not null and (a > 1) is true
select case when a > 1 then 'big' when a < 0 then 'neg' else 'small' end as size, case a when 1 then 'one' when 2 then 'two' end as word from t
select count(*) as n, sum(a) as s, avg(d) as av, max(b) as m from t
select b, count(*) filter (where a > 1) as c, string_agg(b, ',' order by a desc) as s, array_agg(distinct a) as ar from t group by b having count(*) > 1 order by 2 desc, b
select b, a, sum(a) over (partition by b order by a) as s, row_number() over () as rn, lag(a, 1) over (order by a nulls first) as l from t
select sum(a) over w as s, avg(a) over (w rows between 1 preceding and current row) as av from t window w as (partition by b order by a)
select a from t union select n from t order by 1
select a from t union all select n from t union select 1
select a, 'x' as k from t union all select 2, null
(select a from t order by a limit 1) union all (select n from t order by n limit 2)
select a from t except (select n from t intersect select 3)
with q as (select a, b from t where a > 1) select q.a, count(*) as c from q group by q.a
with q(x, y) as (select a, b from t), z as materialized (select x from q) select * from q, z
with recursive r(i) as (select 1 union all select i + 1 from r where i < 5) select i from r
select a from t where a = (select max(a) from t) and exists (select 1 from t y where y.a = t.a) and a in (select n from t) and a not in (select n from t where n > 1)
select s.x, s.y from (select a as x, b as y from t) s where s.x > 1
select a, (select count(*) from t) as c, array(select b from t) as arr from t
select a::text as at, b::varchar(10) as bv, a::numeric(10,2) as an, '5'::int as five, 5::bigint as big, d::int as di, cast(b as text) as bt from t
select extract(year from ts) as y, ts at time zone 'Europe/Rome' as rome, date_trunc('day', ts) as day, now() as n, current_date as cd, current_timestamp as ct from t
select substring(b from 1 for 2) as s, position('x' in b) as p, trim(b) as tr, trim(leading 'x' from b) as tl, overlay(b placing 'x' from 1) as o, upper(b) as u, coalesce(b, 'none') as c, nullif(a, 0) as nn, greatest(a, n, 1) as g from t
select a, b from t limit 10 offset 5
select distinct b from t order by b
select distinct on (b) b, a from t order by b, a desc
select t.a, u.b from t left join t u on t.a = u.a and u.n > 1
select t.a, u.b from t left join t u using (a)
select * from t natural join (select a, 5 as five from t) z
select t.a, u.b, v.n from t join t u on t.a = u.a right join t v on v.a = u.a full join t w on w.a = v.a
select t.a, u.b from t cross join t u
select t.a, u.b from t, t u where t.a = u.a
select a, g from t, generate_series(1, 3) g
select a, g.v from t, lateral (select a + 1 as v) g
select x.i, x.o from unnest(array[1,2,3]) with ordinality as x(i, o)
select * from (values (1, 'one'), (2, 'two')) v(id, name)
values (1, 'a'), (2, 'b')
select b, n, sum(a) as s, grouping(b) as g from t group by rollup (b, n)
select b, n, sum(a) as s from t group by grouping sets ((b, n), (b), ())
select b, n, sum(a) as s from t group by cube (b, n)
select array[1, 2, a] as arr, array['x', b] as t2, (array[1,2,3])[2] as el, array[]::int[] as em from t
select a from t where a = any (array[1, 2]) or b = all (array['x', 'y'])
select a from t order by a desc nulls last, b nulls first, lower(b), a + 1
select lower(b) as l, count(*) as c from t group by lower(b) order by lower(b)
select percentile_cont(0.5) within group (order by d) as p, mode() within group (order by b) as m from t
select a is distinct from n as dd, a is not distinct from n as nd from t
select row(a, b) as r, (a, n) = (1, 2) as e, (a, n) < (1, 2) as lt from t
select interval '1 day' as i, date '2024-01-01' as d, timestamp '2024-01-01 10:00' as tt, true as b, null as nu, null::int as ni from t
select ts + interval '1 hour' as x, ts > '2024-01-01' as y, ts - ts as z from t
select to_char(ts, 'YYYY') as y, round(d::numeric, 2) as r, abs(-a) as ab, length(b) as le, a % 2 as md, a / 2 as dv, - a as neg, a ^ 2 as pw from t
select j -> 'x' as jx, j ->> 'y' as jy, j #> '{a,b}' as jp, j @> '{"a": 1}' as jc from t
select b ~ 'x' as re, b ~* 'x' as rei, b !~ 'x' as nre, b ilike 'x%' as il, b not like 'x%' as nl, b similar to 'x' as si from t
select "Odd Col", "select" from "Odd T"
select a as "A B", b as "select", a as select_it from t
select b collate "C" as c from t order by b collate "C"
select count(distinct a) as cd, bool_and(a > 1) as ba, json_agg(a) as ja from t
select left(b, 1) as l, right(b, 1) as r, concat(b, 'x', a) as c, format('%s', b) as f from t
select make_interval(days => 3) as m from t
select (a + n) * 2 as x, a + n * 2 as y, a - (n - 1) as z, (a - n) - 1 as w, a + n > 3 and b <> 'z' as l from t
select x.a from t as x (a, b2, c2) where b2 > 'q'
select first_value(a) over (partition by b order by ts range between interval '1 hour' preceding and current row) as f, count(*) over (order by a rows between unbounded preceding and unbounded following exclude ties) as c from t
select pg_class.relname from pg_class where oid > 5
select table_name from information_schema.tables
select a from t group by a, b having max(n) > 1
select sum(case when a > 1 then 1 else 0 end) as s, case when a is null then null else (select max(n) from t) end as q from t group by a
select v from vw
select a from t fetch first 3 rows only
select a from t order by a fetch first 3 rows with ties
select vc, vc = 'x' as e, vc || 'y' as c, vc like 'z%' as k, upper(vc) as u from t
select a from t where ok and not ok and a > 1 or ok is not true
select ts::date as dt, ts::date::text as dtt, (a + 1)::text as at, b::int + 1 as bi from t
select d + a as x, d * 1.5 as y, n / 2.0 as z, a = 2.5 as e from t
select exists(select 1 from t where a > 1) as ex, a in (select a from t) as i2 from t
select t.* , u.a as ua from t join t u on true
select a from only t
select * from (select 1, 2) s
select 1, 2 as b
select t.a as x from t where exists (select 1 from t where t.a > 1)
select * from (select t.a from t) t
select count(*) from (select a from t union select n from t) s
select a from (select a, row_number() over (partition by b) as rn from t) s where rn = 1
with a as (select a from t), b as (with c as (select n from t) select n from c) select a.a, b.n from a join b on a.a = b.n
select a from t where a > all (select n from t) or a = any (select n from t) or a < some (select n from t)
select a from t where (a, n) in (select a, n from t) and (a, b) not in (select n, b from t)
select a from t where (a, n) in ((1, 2), (3, 4))
select a from t where a in (n, 1, 2) or a in (n, 5)
select a from t where b in ('x') and a in (1.5, 2)
select a from t where vc in ('x', 'y') and vc = any(array['q'])
select case when a > 1 then 1 else 2.5 end as c, case when ok then vc end as v, coalesce(vc, 'x') as co, coalesce(a, 1.5) as ca from t
select a from t union select n from t union select 3 order by a desc limit 3
select a from t union (select n from t union all select 2)
(select a from t union all select n from t) except select 4
select a as x from t union all select d from t
select b from t union all select vc from t union all select 'z'
select 'a' as x, null as y union all select 'b', 1
select array_agg(a order by n desc, b) as x, array_agg(b) filter (where a > 1 and b <> 'x') as y, count(*) filter (where ok) as z, sum(distinct a) as w from t
select sum(a) filter (where n > 1) over (partition by b) as x, rank() over (order by a desc nulls last) as r, ntile(4) over (order by a) as nt from t
select sum(a) over w1 as x, sum(n) over w2 as y from t window w1 as (partition by b), w2 as (w1 order by a)
select sum(a) over (order by a groups between 1 preceding and 2 following exclude current row) as x, sum(a) over (rows unbounded preceding) as y from t
select nth_value(a, 2) over (order by n range between 1 preceding and 1 following exclude group) as x from t
select extract(epoch from ts - ts) as e, extract(hour from ts) as h, date_part('minute', ts) as m, ts at time zone interval '1 hour' as z, ts::timestamp at time zone 'UTC' as y from t
select b || a as x, a || b as y, 'x' || b || 'y' as z, b || null as n, vc || vc as v from t
select a::bigint * 2 as x, a * 2::bigint as y, a::float8 / 3 as z, a::smallint as s, -a::int as m, (-1)::int as mm, - 5 as m5, +a as pl from t
select '2024-01-01'::date + a as x, '1 day'::interval * a as y, ts - interval '1 month' as z, age(ts) as ag, ts::time as ti from t
select 'it''s' as q, E'a\\b\n' as e, '' as em, 'ü' as u from t
select true and ok as x, not ok as y, ok is null as z, ok is not false as f, ok is unknown as u, ok = true as q from t
select not (a > 1 and n > 2) as x, not (a > 1 or n > 2) as y, not a > 1 as z, (a > 1) = ok as w, (a > 1) is null as v from t
select a + n + 1 as x, a + (n + 1) as y, a - n - 1 as z, a * (n * 2) as w, (a + n) * (a - n) as v, a * n + a / n as u, -(a + n) as t2, (a + n)::text as s, a % 3 + 1 as r from t
select (a > 1 or n > 2) and ok as x, a > 1 or (n > 2 and ok) as y, ((a > 1)) as z, (a is null) or ok as w, a = 1 is true as v from t
select length(b) + 1 as x, upper(lower(b)) as y, substr(b, 1, a) as z, replace(b, 'x', 'y') as w, split_part(b, ',', 1) as v, b is not null as u from t
select coalesce((select max(a) from t), 0) as x, (select max(a) from t) + 1 as y, (select b from t limit 1) || 'x' as z from t
select a from t where a = (select n from t order by n limit 1) and b like any (array['x%', 'y%'])
select case when exists (select 1 from t) then 'y' else 'n' end as x from t
select case a when 1 then 'x' when n then 'y' else b end as x, case when a is null then 1 end as y, case b when 'x' then 1 end as z from t
select json_build_object('a', a, 'b', b) as x, jsonb_build_array(a, b, null) as y, to_jsonb(b) as z, row_to_json(row(a, b)) as w from t
select jsonb_extract_path(j, 'a', 'b') as x, jsonb_extract_path_text(j, 'a') as y, greatest(a, n) as z, least(1, 2.5, a) as w, concat_ws(',', a, b) as v from t
select j['a'] as x, j['a']['b'] as y, (array[a, n])[1] as z, (array[a, n])[1:2] as w, (string_to_array(b, ','))[1] as v from t
select t1.a, t2.a as a2 from (t t1 join t t2 on t1.a = t2.a) join t t3 on t3.a = t1.a
select t1.a from t t1 join (t t2 join t t3 on t2.a = t3.a) on t1.a = t2.a
select q.a from (t t1 join t t2 using (a)) as q
select a from t t1 join t t2 using (a) join t t3 using (a)
select a, b from t t1 full join t t2 using (a, b)
select a from t t1 right join t t2 using (a) where a > 1
select * from t t1 join t t2 using (timestamp, a)
select x from t join unnest(array[1,2]) x on x = t.a
select * from generate_series(1, 10, 2)
select * from generate_series(now(), now() + interval '1 day', '1 hour') as h
select g.* from t cross join lateral generate_series(1, t.a) as g(i)
select e.k, e.v from t, jsonb_each_text(t.j) as e(k, v)
select key, value from t, jsonb_each(j)
select el from t, jsonb_array_elements_text(j -> 'x') as el
select t.a, s.c from t left join lateral (select count(*) as c from t i where i.a = t.a) s on true
select a from t group by 1 having count(*) > 1 order by 1
select a as b, count(*) from t group by a order by a
select b as a, count(*) from t group by b order by a
select a + 1 as x from t group by a + 1 order by a + 1
select date_trunc('hour', ts) as h, avg(d) from t group by 1 order by 1
select date_trunc('hour', ts) as h, avg(d) from t group by h order by h desc
select b, count(*) from t group by grouping sets ((b, n), b, ()) order by b
select b, n, count(*) from t group by b, rollup (n, a)
select b, n, count(*) from t group by cube ((b, n), a)
select b, n from t group by distinct rollup (b, n), rollup (b)
select distinct a, b from t order by a, b
select distinct on (a, lower(b)) a, b from t order by a, lower(b), n
select a from t order by 1 offset 2
select a from t limit all
select a from t limit 2 + 3
select a from t where ts > now() - interval '1 day' and ts <= current_timestamp and ts < localtimestamp
select current_user as u, session_user as s, current_date as d, current_time(2) as t, localtime as l, current_catalog as c, current_schema as sc
select to_timestamp(a) as x, timestamp, timestamp::date as dd from t
select t.timestamp as time, t.a as "Value", t.b as metric from t order by 1
select regexp_replace(b, 'x', 'y', 'g') as x, b ~ '^a' and b !~* 'b' as y, b similar to '(a|b)%' as z, b like 'a!_%' escape '!' as w, b not ilike '%x' as v, b not similar to 'x' as u from t
select position(b in 'abc') as x, trim(both 'x' from b) as y, trim(trailing from b) as z, substring(b from 'a.c') as w, substring(b, 2) as v, substring(b for 3) as u, overlay(b placing 'zz' from 2 for 3) as t2, char_length(b) as s, octet_length(b) as r from t
select (ts, ts) overlaps (ts, interval '1 hour') as x, make_date(2024, 1, a) as y, justify_days(interval '40 days') as z from t
select oid, relname::text, relkind, n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where relkind in ('r', 'v') and n.nspname !~ '^pg_'
select a from t where a is not null and b <> '' and n between 1 and 3 and n not between symmetric 5 and 2
select a from t old join t new on old.a = new.a
select stddev(d) as sd, var_pop(d) as vp, corr(a, d) as co, regr_slope(d, a) as rs, every(ok) as ev, bit_and(a) as ba, percentile_disc(array[0.25, 0.5]) within group (order by a desc) as pd from t
select b::text::varchar(5) as x, vc::text as y, vc::varchar(5) as z, b::char as w, 'abc'::varchar as v, 'abc'::varchar(2) as u, a::numeric as t2, d::numeric(10,2) as s, 1::numeric(5,1) as r from t
select date '2024-01-01' + interval '1 day' as x, timestamptz '2024-01-01 00:00+00' as y, time '10:00' as z, interval '1' hour as i, interval '1 day 2 hours' as j2, interval(3) '1.5 s' as k
select "a" as "A", "b" as "user", "n" as "table" from "t" as "T x"
select a from t where b = 'x'::text and vc = 'y'::varchar and a = '5' and d = '1.5' and ts = '2024-01-01' and ok = 't'
select generate_series(1, 3) as g, a from t
select unnest(array[1, 2]) as u from t
select a, b, n, d, ts, j, ok, vc, a + 1 as a1, case when a > 1 then 'x' else 'y' end as cc, b || 'x' as bx, n * 2 as n2, d / 2 as d2, upper(vc) as uv from t
select t.a, t.b, u.n from t, t u, t w, (select 1 as z) s where t.a = u.a
with x as (select 1 as a), t as (select a from x) select * from t
with x as (select a from t) select * from x union all select * from x order by 1
with recursive x(n, p) as (select a, b from t where a = 1 union all select t.a, t.b from t join x on t.n = x.n where x.n < 10) select * from x where n > 1
select a from t where (select count(*) from t u where u.a = t.a) > 1
select (select (select a from t limit 1)) as x, array(select a from t order by a) as y, array[(select 1), 2] as z
values (1, 'x'), (2, null), (3, 'z')
values (1), (2.5), (null)
select * from (values (1, 2.5), (2, 3)) v
select v.column1 from (values (1), (2)) v
