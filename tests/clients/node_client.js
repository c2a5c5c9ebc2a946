// node-postgres: parameters, prepared statements, cursors, errors.
const assert = require("assert");
const { Client } = require("pg");
const Cursor = require("pg-cursor");

(async () => {
  const client = new Client();
  await client.connect();
  const total = Number((await client.query("select count(*) as n from payments")).rows[0].n);
  assert(total > 0);
  const one = await client.query("select $1::int + 1 as x, $2::text as y, $3::date as z, $4::bool as b", [
    41, "é", "2026-03-01", true,
  ]);
  assert.deepStrictEqual([Number(one.rows[0].x), one.rows[0].y, one.rows[0].b], [42, "é", true]);
  const some = await client.query("select count(*) as n from payments where status = any($1)", [
    ["applied", "proposed"],
  ]);
  assert(Number(some.rows[0].n) > 0);
  for (let round = 0; round < 3; round++) {
    const named = { name: "by-amount", text: "select count(*) as n from payments where amount > $1", values: ["0"] };
    assert(Number((await client.query(named)).rows[0].n) > 0);
  }
  const cursor = client.query(new Cursor("select payment_id from payments"));
  let seen = 0;
  for (let rows = await cursor.read(100); rows.length; rows = await cursor.read(100)) seen += rows.length;
  assert.strictEqual(seen, total);
  await cursor.close();
  await assert.rejects(client.query("select nothing from payments"), (error) => error.code === "42703");
  const columns = await client.query(
    "select column_name, data_type from information_schema.columns where table_name = $1 and table_schema = 'public'",
    ["payments"],
  );
  assert(columns.rows.some((row) => row.column_name === "amount" && row.data_type === "numeric"));
  await client.end();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
