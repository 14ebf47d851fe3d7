select (select grouping(v1)) from (values ((select 1))) v(v1) group by cube(v1);
select (select grouping(v1)) from (values ((select 1))) v(v1) group by v1;
select(select (select grouping(a,b) from (values (1)) v2(c)) from (values (1,2)) v1(a,b) group by (a,b)) from (values(6,7)) v3(e,f) GROUP BY ROLLUP(e,f);
select(select (select grouping(e,f) from (values (1)) v2(c)) from (values (1,2)) v1(a,b) group by (a,b)) from (values(6,7)) v3(e,f) GROUP BY ROLLUP(e,f);
select(select (select grouping(a,b) from (values (1)) v2(c)) from (values (1,2)) v1(a,b) group by (a,b)) from (values(6,7)) v3(e,f) GROUP BY CUBE((e+1),(f+1)) ORDER BY (e+1),(f+1);
select(select (select grouping(c) from (values (1)) v2(c) GROUP BY c) from (values (1,2)) v1(a,b) group by (a,b)) from (values(6,7)) v3(e,f) GROUP BY ROLLUP(e,f);
select (select grouping(a, c) from (values (1)) v2(c)) from (values (1,2)) v1(a,b) group by (a,b);
select (select grouping(b) from (values (1)) v2(c)) from (values (1,2)) v1(a,b) group by a;
-- refused: GROUPING of an outer query's expressions beside other columns of it is not supported
select a, (select grouping(a)) from (values (1),(2)) v(a) group by rollup(a) order by 1;
select (select grouping(a) + 1), (select max(x) from generate_series(1, 3) x where x > grouping(a)) from (values (1),(2)) v(a) group by rollup(a) limit 5;
SELECT width_bucket(amount::float8, array[0,10,100,1000]::float8[]) + 1 b, count(*) FROM orders GROUP BY width_bucket(amount::float8, array[0,10,100,1000]::float8[]) HAVING width_bucket(amount::float8, array[0,10,100,1000]::float8[]) > 1 ORDER BY width_bucket(amount::float8, array[0,10,100,1000]::float8[]) DESC;
SELECT array_position(array['paid','open'], status) AS place, count(*) FROM orders GROUP BY 1 ORDER BY 1;
