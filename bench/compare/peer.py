"""One run of the SQL peer: peer.py SQL BOOKS BANK OUT THREADS [--profile]."""

import pathlib
import sys
import time

import duckdb


def main() -> None:
    sql, books, bank, out, threads = sys.argv[1:6]
    pathlib.Path(out).mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {int(threads)}")
    connection.execute("SET preserve_insertion_order = false")
    for name, value in (("books", books), ("bank", bank), ("out", out)):
        connection.execute(f"SET VARIABLE {name} = '{value}'")
    for statement in connection.extract_statements(pathlib.Path(sql).read_text()):
        start = time.perf_counter()
        connection.execute(statement)
        if "--profile" in sys.argv:
            lines = [line for line in statement.query.splitlines() if line and not line.startswith("--")]
            print(f"{time.perf_counter() - start:7.3f} s  {lines[0][:90]}", file=sys.stderr)


main()
