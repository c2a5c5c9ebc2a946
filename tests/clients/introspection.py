"""The questions of dashboards, one by one: each is answered, with rows where there must be some."""

import os
import re

import psycopg

with open(os.path.join(os.path.dirname(__file__), "introspection.sql")) as file:
    blocks = file.read().split("\n\n")[1:]

asked = 0
with psycopg.connect("", autocommit=True) as db:
    for block in blocks:
        head, sql = block.strip().split("\n", 1)
        wanted, what = re.fullmatch(r"-- (rows|none): (.*)", head).groups()
        try:
            rows = db.execute(sql).fetchall()
        except psycopg.Error as error:
            raise SystemExit(f"{what}: {error}") from error
        assert bool(rows) == (wanted == "rows"), f"{what}: {len(rows)} rows"
        asked += 1
assert asked >= 15, asked

# A clerk sees that nothing but payments may be read.
with psycopg.connect("", user="clerk", autocommit=True) as db:
    sql = "select has_table_privilege('payments', 'select'), has_table_privilege('parties', 'select')"
    assert db.execute(sql).fetchone() == (True, False), db.execute(sql).fetchone()
    sql = "select has_table_privilege('clerk', 'public.payments', 'SELECT'), has_table_privilege('payments', 'insert')"
    assert db.execute(sql).fetchone() == (True, False)
