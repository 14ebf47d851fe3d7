SELECT avg(x::float8), var_pop(x::float8) FROM (VALUES (100000003), (100000004), (100000006), (100000007)) v(x);
select stddev(x), variance(x), stddev_pop(x), var_pop(x), var_samp(x), stddev_samp(x) from (values (1.5::float4), (2.25), (4), (null)) v(x);
select var_pop('inf'::float8), stddev_samp('nan'::float8), var_samp(1::float8), var_pop(1::float8), stddev(null::float8);
select var_pop(x::float8) from generate_series(1,0) x;
select var_pop(x::float8), stddev(distinct (x%7)::float8), corr(x,x*2) from generate_series(1,100000) x;
select x, var_pop(x::float8) over (order by x rows between 2 preceding and current row), stddev(x::float8) over (partition by x%2) from generate_series(1,10) x order by 1;
select corr(y,x), covar_pop(y,x), covar_samp(y,x), regr_avgx(y,x), regr_avgy(y,x), regr_intercept(y,x), regr_r2(y,x), regr_slope(y,x), regr_sxx(y,x), regr_sxy(y,x), regr_syy(y,x), regr_count(y,x) from (values (1::float8,2::float8),(3,5),(null,4),(7,1.25)) v(y,x);
select corr(1::float8,1::float8), regr_r2(2::float8, 3::float8), regr_slope(x,1) from generate_series(1,3) x;
select var_pop(x) from (values ('1e308'::float8),('-1e308')) v(x);
select var_pop(x) filter (where x>1) from (values ('1'::float8),('5'),('6')) v(x);
select x, covar_pop(x,'inf'::float8) from generate_series(1,2) x group by x order by 1;
SELECT var_pop(d), stddev_samp(d), regr_slope(d, i4::float8) FROM numbers WHERE abs(d) < 1000;
SELECT region, stddev(discount), var_samp(discount), corr(discount, amount::float8) FROM orders GROUP BY region ORDER BY 1;
SELECT order_id, stddev_pop(discount) OVER (PARTITION BY region), regr_count(discount, quantity) OVER (ORDER BY order_id) FROM orders ORDER BY order_id;
-- near: a frame's parts are added up in another order
SELECT order_id, variance(discount) OVER (ORDER BY order_id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM orders ORDER BY order_id;
SELECT var_pop(f4), stddev(f4) FILTER (WHERE f4 > 0) FROM readings;
