select count(*) from readings tablesample bernoulli (100);
select count(*) from readings tablesample system (0) repeatable (3);
select r.id from readings as r tablesample bernoulli (100) repeatable (5) where r.id < 4;
select * from sensors tablesample bernoulli (100) s order by s.name;
select count(*) from readings tablesample foo (50);
with t as (select 1) select * from t tablesample bernoulli (50);
select count(*) > 100 from pg_class tablesample system (100);
select count(*) from pg_class tablesample system (0) repeatable(1.5);
select o.order_id, c.id from orders o tablesample bernoulli (100) left join readings c tablesample bernoulli (0) on c.id = o.order_id;
