CREATE TABLE readings (timestamp timestamptz, id integer, sensor text, site varchar(8), n2 smallint, n4 integer, n8 bigint,
	f4 real, f8 double precision, num numeric, price numeric(12,3), ok boolean, label text, day date, at timestamptz,
	local timestamp, tod time, gap interval, uid uuid, raw bytea, doc jsonb, js json);
CREATE TABLE sensors (timestamp timestamptz, name text, site varchar(8), installed date, threshold double precision, tags text,
	config jsonb, "Odd Name" text, "select" integer, "UPPER" integer, upper integer);
CREATE TABLE orders (timestamp timestamptz, order_id integer, customer text, region text, status text, amount numeric(10,2),
	quantity integer, discount double precision, ordered timestamptz, shipped timestamp, due date);
CREATE TABLE strings (timestamp timestamptz, id integer, s text, p text, n integer);
CREATE TABLE numbers (timestamp timestamptz, id integer, i2 smallint, i4 integer, i8 bigint, j4 integer, r real, d double precision,
	m numeric, k numeric(8,2));
CREATE TABLE moments (timestamp timestamptz, id integer, tz timestamptz, ts timestamp, d date, t time, iv interval, zone text);
CREATE TABLE nothing (timestamp timestamptz, id integer, x text);
