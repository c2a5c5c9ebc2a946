"""How long the first row of a query takes over the wire, and how soon a posting is seen.

    python tests/clients/latency.py PORT [LEDGER TIEOUT PATH]

The first part asks each query 200 times over one connection to the server on PORT. With a ledger,
the command and a folder of new files, the second part runs them into the ledger, asks for the number
of payments all the while, and says how long after the ledger's manifest was replaced the first answer
with the new number was there. Needs psycopg.
"""

import os
import subprocess
import sys
import time

import psycopg

QUERIES = [
    "select 1",
    "select * from payments limit 1",
    "select status, count(*), sum(amount) from payments group by 1",
]
ROUNDS = 200

port, *posting = sys.argv[1:]
db = psycopg.connect(f"host=127.0.0.1 port={port} user=ann dbname=tieout", autocommit=True)
for sql in QUERIES:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        db.execute(sql).fetchone()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    print(f"{sql}: least {times[0]:.2f} ms, median {times[ROUNDS // 2]:.2f} ms")

if posting:
    ledger, tieout, path = posting
    count = "select count(*) from payments"
    before = db.execute(count).fetchone()
    run = subprocess.Popen([tieout, "run", path, "--ledger", ledger, "--quiet"])
    while db.execute(count).fetchone() == before:
        time.sleep(0.002)
    seen = time.time() - os.stat(os.path.join(ledger, "ledger.json")).st_mtime
    print(f"a posting: seen {seen * 1000:.1f} ms after its commit")
    run.wait()
