-- row: date_trunc century
SELECT id, date_trunc('century', ts), date_trunc('millennium', ts), date_trunc('decade', ts) FROM moments ORDER BY id;
SELECT id, date_trunc('hour', iv), date_trunc('day', iv), date_trunc('month', iv), date_trunc('year', iv), date_trunc('quarter', iv), date_trunc('decade', iv), date_trunc('century', iv) FROM moments ORDER BY id;
SELECT id, date_trunc('day', t) FROM moments ORDER BY id;
SELECT date_trunc('fortnight', ts) FROM moments;
SELECT extract(century FROM ts), extract(millennium FROM ts), extract(decade FROM ts) FROM moments WHERE isfinite(ts) ORDER BY id;
SELECT extract(century FROM d), date_part('century', tz) FROM moments WHERE isfinite(d) AND isfinite(tz) ORDER BY id;
SELECT date_trunc('century', at) AS c, count(*) FROM readings GROUP BY 1 ORDER BY 1;
SELECT date_trunc('MONTH', ordered) AS month, sum(amount) FROM orders GROUP BY 1 ORDER BY 1;
SELECT date_trunc('mon', ordered), date_trunc('hours', ordered), date_trunc('qtr', ordered) FROM orders ORDER BY order_id;
-- row: date_trunc of date
SELECT id, date_trunc('month', d), date_trunc('year', d), date_trunc('day', d) FROM moments ORDER BY id;
SELECT pg_typeof(date_trunc('month', d)), pg_typeof(date_trunc('month', ts)), pg_typeof(date_trunc('month', iv)) FROM moments LIMIT 1;
SELECT date_trunc('month', due)::date AS month, count(*) FROM orders GROUP BY 1 ORDER BY 1;
SELECT date_trunc('week', due), count(*) FROM orders GROUP BY date_trunc('week', due) ORDER BY date_trunc('week', due);
SELECT date_trunc('month', due) - interval '1 day', date_trunc('month', due) + interval '1 month' FROM orders ORDER BY order_id;
-- set: SET TimeZone = 'America/New_York'
SELECT id, date_trunc('day', tz), date_trunc('month', d), date_trunc('hour', tz) FROM moments ORDER BY id;
SELECT date_trunc('quarter', due) = date_trunc('quarter', ordered) FROM orders ORDER BY order_id;
-- set: SET TimeZone = 'Europe/Berlin'
SELECT date_trunc('day', d), date_trunc('day', d)::timestamp, date_trunc('day', d)::date FROM moments ORDER BY id;
SELECT due::timestamptz, due::timestamp, date_trunc('year', due) AT TIME ZONE 'UTC' FROM orders WHERE order_id < 9 ORDER BY order_id;
-- set: RESET TimeZone
-- row: date ± int
SELECT id, d + 1, d - 1, 7 + d FROM moments ORDER BY id;
SELECT id, d + id, d - id FROM moments WHERE isfinite(d) ORDER BY id;
SELECT id, d - date '2024-01-01', date '2024-01-01' - d FROM moments WHERE isfinite(d) ORDER BY id;
SELECT id, d + iv, d - iv FROM moments ORDER BY id;
SELECT id, d + t FROM moments ORDER BY id;
SELECT due + 30, due - ordered::date FROM orders ORDER BY order_id;
SELECT pg_typeof(due + 1), pg_typeof(due - 1), pg_typeof(due - due), pg_typeof(due + interval '1 day'), pg_typeof(due + time '10:00') FROM orders LIMIT 1;
SELECT date '2024-02-28' + 1, date '2024-03-01' - 1, date '2024-01-31' + interval '1 month', date '2024-03-31' - interval '1 month';
SELECT order_id FROM orders WHERE due BETWEEN date '2024-01-01' AND date '2024-01-01' + 180 ORDER BY order_id;
SELECT due + quantity AS later, count(*) FROM orders GROUP BY due + quantity ORDER BY 1;
SELECT due - 1 + interval '12:00', (due + 1)::text, -1 + due FROM orders WHERE order_id < 5 ORDER BY order_id;
-- row: infinity, BC
SELECT id, d, ts, tz, isfinite(d), isfinite(ts), isfinite(tz) FROM moments ORDER BY id;
SELECT id, d = 'infinity', ts > 'infinity', tz = '-infinity', d < '0001-01-01' FROM moments ORDER BY id;
SELECT id, extract(year FROM d), extract(year FROM ts), extract(year FROM tz) FROM moments ORDER BY id;
SELECT id, extract(epoch FROM d), extract(epoch FROM ts), extract(julian FROM d), extract(isoyear FROM ts) FROM moments ORDER BY id;
SELECT id, date_part('year', d), date_part('epoch', tz), date_part('century', ts) FROM moments ORDER BY id;
SELECT id, d::timestamp, ts::date, tz::date, d::timestamptz FROM moments ORDER BY id;
SELECT id, ts + iv, tz - iv FROM moments ORDER BY id;
SELECT max(d), min(d), max(tz), min(tz), max(ts), min(ts) FROM moments;
SELECT 'infinity'::timestamptz::date, 'infinity'::date::timestamptz, 'infinity'::timestamp > now()::timestamp, age('infinity'::timestamp) IS NULL;
SELECT day, day < '0001-01-01', extract(year FROM day) FROM readings ORDER BY day, id;
SELECT to_char(day, 'YYYY-MM-DD BC') FROM readings WHERE isfinite(day) ORDER BY day, id;
SELECT at, date_trunc('day', at), at::text FROM readings WHERE NOT isfinite(at) ORDER BY at;
SELECT least(d, 'infinity'), greatest(ts, '-infinity') FROM moments ORDER BY id;
SELECT d, count(*) OVER (ORDER BY d) FROM moments ORDER BY d NULLS FIRST;
SELECT make_date(-44, 3, 15), make_date(2024, 2, 29), make_timestamp(-1, 1, 1, 0, 0, 0);
SELECT make_date(0, 1, 1);
-- row: timestamptz input
SELECT 'epoch'::timestamptz, 'today'::date = current_date, 'tomorrow'::date - 'yesterday'::date, 'now'::timestamptz = now(), 'today 12:00'::timestamp > 'today'::timestamp;
-- set: SET TimeZone = 'America/New_York'
SELECT id, tz, tz::timestamp, ts::timestamptz, tz::date, tz::time FROM moments ORDER BY id;
SELECT id, ts AT TIME ZONE 'Asia/Tokyo', tz AT TIME ZONE 'Asia/Tokyo' FROM moments ORDER BY id;
SELECT id, tz AT TIME ZONE zone, ts AT TIME ZONE zone FROM moments WHERE zone IS NOT NULL ORDER BY id;
SELECT id, extract(timezone FROM tz), extract(timezone_hour FROM tz), extract(hour FROM tz), extract(epoch FROM tz) FROM moments ORDER BY id;
SELECT id FROM moments WHERE tz > '2024-03-10 02:00' AND tz < '2024-11-03' ORDER BY tz;
SELECT tz::date, count(*) FROM moments GROUP BY tz::date ORDER BY 1;
SELECT to_char(tz, 'YYYY-MM-DD HH24:MI:SS TZ OF') FROM moments WHERE isfinite(tz) AND extract(year FROM tz) > 1900 ORDER BY id;
SELECT tz + interval '1 day', tz + interval '24 hours', tz - interval '1 month' FROM moments WHERE isfinite(tz) ORDER BY id;
SELECT at, at + interval '1 month', date_trunc('hour', at), at::date FROM readings ORDER BY id;
-- set: SET TimeZone = 'Europe/Berlin'
SELECT tz, tz + interval '1 day', tz + interval '24 hours', tz + '1 mon' FROM moments ORDER BY id;
SELECT ts::timestamptz, (ts::timestamptz)::timestamp, ts::timestamptz - tz FROM moments WHERE isfinite(ts) AND isfinite(tz) ORDER BY id;
-- set: SET TimeZone = 'Asia/Kolkata'
SELECT tz, extract(timezone_minute FROM tz), date_part('timezone', tz), tz::timetz FROM moments WHERE isfinite(tz) ORDER BY id;
-- set: SET TimeZone = 'MST7MDT'
SELECT tz, tz::timestamp FROM moments WHERE isfinite(tz) ORDER BY id;
-- set: SET TimeZone = '-5'
SELECT tz, '2024-01-01 12:00'::timestamptz FROM moments WHERE id < 4 ORDER BY id;
-- set: SET TimeZone = 'FOO+3BAR'
-- set: RESET TimeZone
-- set: SET DateStyle = 'German'
SELECT d, ts, tz, iv FROM moments ORDER BY id;
-- set: SET DateStyle = 'SQL, DMY'
SELECT d, ts, tz, '01/02/2024'::date FROM moments ORDER BY id;
-- set: SET DateStyle = 'Postgres, MDY'
SELECT d, ts, tz, '01/02/2024'::date, iv::text FROM moments ORDER BY id;
-- set: RESET DateStyle
-- row: interval text
SELECT id, iv, iv::text FROM moments ORDER BY id;
SELECT id, iv || '', concat(iv), length(iv::text) FROM moments ORDER BY id;
SELECT id, gap, -gap, gap * 2, gap / 3 FROM readings ORDER BY id;
SELECT id, iv * 1.5, iv / 2, iv * 0.1 FROM moments ORDER BY id;
SELECT id, iv + interval '1 day', iv - interval '1 month' FROM moments ORDER BY id;
SELECT id, extract(epoch FROM iv), extract(day FROM iv), extract(month FROM iv), extract(year FROM iv), extract(hour FROM iv), extract(second FROM iv) FROM moments ORDER BY id;
SELECT id, iv > interval '1 day', iv = interval '24 hours', iv < interval '-1 day' FROM moments ORDER BY id;
SELECT sum(gap), avg(gap), min(gap), max(gap) FROM readings;
SELECT iv, count(*) FROM moments GROUP BY iv ORDER BY iv;
SELECT gap FROM readings WHERE gap BETWEEN '0' AND '2 days' ORDER BY gap, id;
SELECT ordered - shipped, shipped - ordered::timestamp, age(shipped, ordered::timestamp) FROM orders ORDER BY order_id;
SELECT timestamp '2024-03-01' - timestamp '2024-02-28 12:00', age(timestamp '2024-03-01', timestamp '2024-02-29'), age(date '2024-05-31', date '2023-02-28');
SELECT age(d, '2000-01-01') FROM moments WHERE isfinite(d) ORDER BY id;
SELECT id, age(ts, timestamp '2001-04-10'), age(timestamp '2001-04-10', ts) FROM moments WHERE isfinite(ts) ORDER BY id;
-- set: SET IntervalStyle = 'iso_8601'
SELECT iv, iv::text FROM moments ORDER BY id;
-- set: SET IntervalStyle = 'postgres_verbose'
SELECT iv, iv::text || '!' FROM moments ORDER BY id;
-- set: SET IntervalStyle = 'sql_standard'
SELECT iv, -iv FROM moments ORDER BY id;
-- set: RESET IntervalStyle
-- row: generate_series of timestamps
SELECT g::date FROM generate_series('2024-01-31'::timestamp, '2024-05-31'::timestamp, '1 month') g;
SELECT d::date, count(o.order_id) FROM generate_series('2024-01-01'::timestamp, '2024-01-20', '1 day') d LEFT JOIN orders o ON o.due = d::date GROUP BY d ORDER BY d;
SELECT count(*) FROM generate_series('2024-01-01'::timestamp, '2024-12-31', '1 week') s(w);
SELECT date_trunc('month', g), to_char(g, 'Mon YYYY') FROM generate_series('2023-11-15'::timestamp, '2024-03-15', '1 month') g;
SELECT min(g), max(g), pg_typeof(min(g)) FROM generate_series(date '2024-01-01', date '2024-02-01', interval '1 day') g;
SELECT a.g, b.h FROM generate_series('2024-01-01'::timestamp, '2024-01-02', '1 day') AS a(g) CROSS JOIN generate_series(1, 2) AS b(h) ORDER BY 1, 2;
SELECT x.g, x.ordinality FROM generate_series('2024-01-01'::timestamp, '2024-01-03', '1 day') WITH ORDINALITY AS x(g) ORDER BY 2;
-- row: now()
SELECT now() = transaction_timestamp(), now() = current_timestamp, statement_timestamp() >= now(), clock_timestamp() >= now();
SELECT now()::date = current_date, now() > '2020-01-01', pg_typeof(now()), pg_typeof(current_date), pg_typeof(current_time), pg_typeof(localtime), pg_typeof(localtimestamp);
SELECT now() - interval '1 day' < now(), current_timestamp(0) = date_trunc('second', current_timestamp(0)), localtimestamp = now()::timestamp;
SELECT count(*) FROM orders WHERE ordered < now();
SELECT count(*) FROM orders WHERE ordered > now() - interval '100 years' AND ordered < now() + interval '1 day';
SELECT extract(epoch FROM now()) > 1.7e9, date_trunc('day', now()) <= now(), age(now()) < interval '2 days';
SELECT now() BETWEEN current_date AND current_date + 1, now()::time = localtime, timeofday() LIKE '%20%';
SELECT a.n = b.n FROM (SELECT now() AS n) a, (SELECT now() AS n) b;
SELECT count(DISTINCT n) FROM (SELECT now() AS n FROM orders) q;
SELECT count(*) FROM orders WHERE due < CURRENT_DATE AND ordered < LOCALTIMESTAMP AND shipped < CURRENT_TIMESTAMP;
SELECT to_char(now(), 'YYYY')::int >= 2024, extract(year FROM now()) = extract(year FROM current_date);
-- row: date_trunc century
SELECT date_trunc('century', due), date_trunc('millennium', ordered) FROM orders WHERE order_id < 4 ORDER BY order_id;
SELECT count(DISTINCT date_trunc('decade', d)) FROM moments;
SELECT max(date_trunc('century', ts)) FROM moments WHERE isfinite(ts);
-- row: date_trunc of date
SELECT region, min(date_trunc('month', due)) FROM orders GROUP BY region ORDER BY region;
SELECT order_id FROM orders WHERE date_trunc('year', due) = '2024-01-01' ORDER BY 1;
-- row: generate_series of timestamps
SELECT g, extract(dow FROM g) FROM generate_series('2024-02-26'::timestamp, '2024-03-02', '1 day') g;
SELECT count(*) FROM generate_series((SELECT min(due) FROM orders)::timestamp, (SELECT max(due) FROM orders)::timestamp, '1 week') g;
SELECT array_agg(g::date ORDER BY g DESC) FROM generate_series('2024-01-01'::timestamp, '2024-01-03', '1 day') g;
SELECT m.id, count(g) FROM moments m LEFT JOIN LATERAL generate_series(m.ts, m.ts + interval '2 hours', '30 minutes') g ON true WHERE m.id < 5 GROUP BY m.id ORDER BY 1;
SELECT extract(epoch FROM at), extract(year FROM at), extract(month FROM at), extract(century FROM day), extract(epoch FROM day), extract(epoch FROM local), extract(hour FROM local) FROM readings ORDER BY id;
SELECT floor(extract(epoch FROM at) / 300) * 300 AS time, count(f4) AS value FROM readings GROUP BY 1 ORDER BY 1;
SELECT date_part('foo', tod) FROM readings WHERE id < 0;
SELECT extract(year FROM tod) FROM readings WHERE tod IS NULL;
