// Reads by node-postgres and pg-cursor, and prints what it gets.
// Usage: node read.js URL
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');

const url = process.argv[2];
const types = `select 1::int2, 2::int4, 3::int8, 1.5::float4, 0.1::float8, 123.4500::numeric, true, 'text', '\\x00ff'::bytea,
  date '2026-02-28', timestamp '2026-02-28 23:59:59.999', timestamptz '2026-02-28 23:59:59+05:30', interval '3 days 04:05:06.7',
  array[1,null,3], array['a','b c'], null::int, '{"a": [1]}'::jsonb`;

async function main() {
  const client = new Client({ connectionString: url });
  await client.connect();
  const press = await client.query('select * from press order by timestamp');
  console.log(press.fields.map((f) => [f.name, f.dataTypeID, f.columnID > 0, f.dataTypeModifier]));
  console.log(JSON.stringify(press.rows));
  console.log(JSON.stringify((await client.query({ text: types, rowMode: 'array' })).rows));
  for (let run = 0; run < 3; run++) {
    const named = await client.query({ name: 'named', text: 'select label from press where temperature > $1 order by timestamp', values: [0] });
    console.log(JSON.stringify(named.rows));
  }
  console.log(JSON.stringify((await client.query({ text: 'select $1::text[] as list, $2::timestamptz as at', values: [['a', 'b "c"'], new Date(0)] })).rows));
  const several = await client.query('select 1 as a; select 2 as b');
  console.log(several.map((r) => r.rows));
  const cursor = client.query(new Cursor('select g from generate_series(1, $1) g', [100]));
  let sum = 0;
  for (let rows = await cursor.read(7); rows.length > 0; rows = await cursor.read(7)) {
    sum += rows.reduce((total, row) => total + row.g, 0);
  }
  await cursor.close();
  const early = client.query(new Cursor('select g from generate_series(1, 100000) g'));
  console.log(sum, (await early.read(3)).length);
  await early.close();
  for (const wrong of ['select * from nowhere', 'select nothing from press', 'select 1/0', 'selec 1']) {
    await client.query(wrong).catch((e) => console.log(e.code, e.message, e.position));
  }
  await client.end();
  const pool = new Pool({ connectionString: url, max: 3 });
  const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => pool.query('select $1::int * 2 as n', [n])));
  console.log(answers.map((a) => a.rows[0].n));
  await pool.end();
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
