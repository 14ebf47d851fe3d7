select id, case when n4 > 0 then (select 100 / (r.n4) from sensors s where s.name = r.sensor limit 1) end from readings r order by id;
select id from readings r where n4 = 0 or (select 100 / r.n4 from sensors limit 1) > 3 order by id;
select id, coalesce(n4, (select 1 / 0 from sensors s where s.name = r.sensor and r.id > 1000 limit 1)) from readings r order by id;
select id, coalesce(label, (select (1/(r.id - r.id))::text from sensors limit 1)) from readings r where label is not null order by id;
select id, case when id < 0 then (select s.name from sensors s where s.name is not null and r.id > 0) end from readings r order by id;
select id, (select count(*) from orders o where case when r.n4 = 0 then false else o.quantity > 10 / r.n4 end) from readings r order by id;
select id, case when n4 = 0 then null else exists (select 1 from orders o where o.quantity > 10 / r.n4) end from readings r order by id;
select id, n4 = 0 or exists (select 1 from orders o where o.quantity > 10 / r.n4) from readings r order by id;
select id, n4 <> 0 and 3 in (select o.quantity / r.n4 from orders o) from readings r order by id;
select id, case when n4 <> 0 then (select 10 / r.n4 from (select 1) x) end from readings r order by id;
select id, case when n4 <> 0 then array(select 10 / r.n4 from orders o where o.order_id < 3) end from readings r order by id;
select id, case when n4 <> 0 then (select sum(o.quantity / r.n4) from orders o where o.order_id < r.id) end from readings r order by id;
select sum(case when n4 <> 0 then (select 10 / r.n4 from orders o limit 1) end) from readings r;
select id from readings r order by case when n4 <> 0 then (select 10 / r.n4 from orders o limit 1) end, id;
select exists (select sum(1) over (partition by r.site) from orders) from readings r;
select (select sum(1) over (partition by r.site order by o.order_id) from orders o order by order_id limit 1) from readings r;
select id, (select count(*) over (partition by r.site) from orders o limit 1) from readings r order by id;
select r.id, w.* from readings r, lateral (select o.order_id, rank() over (partition by r.site order by o.amount) from orders o where o.order_id < 3) w order by 1, 2;
-- refused: a window function over columns of an outer query is not supported
select id, (select sum(r.n4) over (order by o.order_id) from orders o order by o.order_id limit 1) from readings r order by id;
-- refused: a subquery in the condition of an outer join is not supported
select count(*) from readings r left join sensors s on exists (select 1 from orders o where o.order_id = r.id and o.customer = s.name);
SELECT id, CASE WHEN id > 0 THEN 5 ELSE (SELECT x FROM generate_series(1, 2) x) END FROM readings ORDER BY id LIMIT 2;
SELECT id, coalesce(num, (SELECT amount FROM orders)) FROM readings WHERE num IS NOT NULL ORDER BY id LIMIT 3;
SELECT coalesce(n, (SELECT array[id] FROM readings)) FROM (VALUES (array[2])) t(n);
SELECT id FROM readings WHERE id > 0 OR (SELECT x = 1 FROM generate_series(1, 2) x) ORDER BY 1 LIMIT 2;
SELECT CASE WHEN id > 0 THEN (SELECT f8 FROM readings ORDER BY id) END FROM readings;
