#!/usr/bin/env python3
"""The treasury's views and an analyst's questions over years of history: tieout, DuckDB, PostgreSQL.

The ledger is made by the example `history`: Parquet by month, and the last month as single postings.
DuckDB reads the same Parquet files; PostgreSQL has the columns that are asked for, with indexes, if its
programs are there (Debian: postgresql). Each asks the same SQL (bench/compare/dialects.py says how the
views are put) and gives all rows as CSV: tieout and PostgreSQL by `copy (...) to stdout` over a local
connection, DuckDB into a file of a memory disk. They take turns; the medians are compared. A difference
between their answers is a failure. Then bench/compare/wire.py measures what a client sees while a run
writes. Writes bench/SQL.md.

    cargo build --release -p tieout-cli -p tieout-server -p tieout-bench --bins --example history
    python3 bench/compare/sql.py [--rows 50000000]
"""

import argparse
import collections
import csv
import decimal
import io
import json
import math
import os
import pathlib
import pwd
import re
import shutil
import statistics
import subprocess
import sys
import time

import dialects
from measuring import HERE, RELEASE, ROOT, environment, machine

PACKAGES = ["duckdb==2.0.1", "psycopg[binary]==3.3.9"]
# Bytes that PostgreSQL needs for a bank line with all that belongs to it, indexes and loading included.
POSTGRES_BYTES = 1_600
POSTGRES_SKIPS = {"byte_start", "byte_end", "extra", "raw", "margin"}
INDEXES = [
    "transactions (booking_date)", "transactions (account, booking_date)", "transactions (transaction_id)",
    "payments (payment_id)", "payments (booking_date)", "payments (party_id)", "payments (amount)",
    "applications (payment_id)", "applications (item_id)", "open_items (item_id)", "open_items (due_date)",
    "exceptions (payment_id)", "duplicates (payment_id)", "evidence (payment_id)", "parties (party_id)",
    "balances (account, currency, as_of_date)", "reversals (what, id, reversed_posting)",
    "exchange_rates (base_currency, quote_currency, rate_date)", "journal (payment_id)",
]
# A quotient may differ in its last place, and texts that only tieout writes are not compared.
RATIO = re.compile(r"rate$|dso$|delinquent$|^score$|^weight$|^likelihood$|^days_late$|in_reporting_currency$")
UNLIKE = {"rate_used", "detail", "description"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000, help="bank lines")
    parser.add_argument("--payments", type=int, default=100_000, help="payments of the run beside which analysts ask")
    parser.add_argument("--rounds", type=int, default=5, help="times that each question is asked after a first one")
    parser.add_argument("--patience", type=int, default=600, help="seconds after which a question is given up")
    parser.add_argument("--only", default="", help="questions and views whose name has this, over the ledger of before; writes no page")
    parser.add_argument("--no-wire", action="store_true", help="leave out the clients beside a run")
    parser.add_argument("--no-postgres", action="store_true")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "sql")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "SQL.md")
    parser.add_argument("--note", default="", help="a line about this machine or build, for the page")
    parser.add_argument("--postgres", type=pathlib.Path, default=pathlib.Path("/usr/lib/postgresql/15/bin"))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


class Tieout:
    """The server over the ledger, and one connection to it."""

    name = "tieout"

    def __init__(self, ledger: pathlib.Path, patience: int):
        import psycopg

        settings = ledger.parent / "server.toml"
        settings.write_text(f"[limits]\nquery_seconds = {patience}\nquery_memory_mb = 4096\nmemory_mb = 6144\n")
        words = [RELEASE / "tieout", "serve", "--pg", "127.0.0.1:0", "--ledger", ledger, "--config", settings]
        self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.search(r" on 127\.0\.0\.1:(\d+)$", line.strip()):
                self.port = int(found[1])
                break
        self.connection = psycopg.connect(f"host=127.0.0.1 port={self.port} user=ann dbname=tieout", autocommit=True)

    def answer(self, sql: str) -> bytes:
        return copied(self.connection, sql)

    def close(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait()


class DuckDb:
    """DuckDB in this process, over the ledger's Parquet files."""

    def __init__(self, ledger: pathlib.Path, codes: dict, payment: str):
        import duckdb

        self.name = f"DuckDB {duckdb.__version__}"
        self.connection = duckdb.connect()
        self.connection.execute("set memory_limit = '8GB'; set parquet_metadata_cache = true; create schema history")
        tables = tables_of(ledger)
        for table, files in tables.items():
            self.connection.execute(f"create view history.{table} as select * from read_parquet({[str(f) for f in files]})")
        for table in tables:
            self.connection.execute(f"create view {table} as {dialects.holding(table)}")
        for table, columns in EMPTY.items():
            if table not in tables:
                self.connection.execute(f"create table {table} ({columns})")
        created(self.connection.execute, dialects.functions(codes, False), lambda sql: dialects.for_duckdb(sql, payment))
        self.file = pathlib.Path("/dev/shm") / f"tieout-sql-{os.getpid()}.csv"

    def answer(self, sql: str) -> bytes:
        self.connection.execute(f"copy ({sql}) to '{self.file}' (format csv, header)")
        return self.file.read_bytes()

    def close(self) -> None:
        self.file.unlink(missing_ok=True)
        self.connection.close()


# Tables of which the history has no rows, as far as views read them.
EMPTY = {
    "settlement_lines": "booking_date date, settlement_date date, merchant_account text, processor text, line_type text, "
    "description text, currency text, fee decimal(23, 5), source_file text, source_line bigint",
}


class Postgres:
    """PostgreSQL, as its own user where this is root, with what DuckDB gives of the same files."""

    name = "PostgreSQL 15"

    def __init__(self, programs: pathlib.Path, duck: DuckDb, codes: dict, payment: str, patience: int):
        import psycopg

        self.programs = programs
        self.folder = pathlib.Path("/var/tmp") / f"tieout-sql-{os.getpid()}"
        self.folder.mkdir()
        self.user = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if self.user:
            of_postgres = pwd.getpwnam("postgres")
            os.chown(self.folder, of_postgres.pw_uid, of_postgres.pw_gid)
        data = self.folder / "data"
        self.run("initdb", "-D", data, "-A", "trust", "-U", "books")
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
        settings = (
            f"-k {self.folder} -c listen_addresses= -c shared_buffers={memory // 4}MB -c effective_cache_size={memory // 2}MB "
            "-c work_mem=256MB -c maintenance_work_mem=1GB -c max_wal_size=8GB -c random_page_cost=1.1 -c wal_level=minimal "
            "-c max_wal_senders=0 -c full_page_writes=off -c fsync=off"
        )
        self.run("pg_ctl", "-D", data, "-w", "-o", settings, "-l", self.folder / "log", "start")
        self.connection = psycopg.connect(f"host={self.folder} user=books dbname=postgres", autocommit=True)
        try:
            self.connection.execute(f"set statement_timeout = '{patience}s'")
            self.connection.execute("create schema history")
            self.load(duck)
            created(self.connection.execute, dialects.functions(codes, True), lambda sql: dialects.for_postgres(sql, payment))
        except BaseException:
            # Nobody else would stop it.
            self.close()
            raise

    def run(self, program: str, *words) -> None:
        words = [str(word) for word in (self.programs / program, *words)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.user)

    def load(self, duck: DuckDb) -> None:
        words = "select table_name, column_name, data_type from information_schema.columns where table_schema = 'history' order by all"
        tables = collections.defaultdict(list)
        for table, column, kind in duck.connection.execute(words).fetchall():
            if column not in POSTGRES_SKIPS:
                kind = {"VARCHAR": "text", "UBIGINT": "bigint", "DOUBLE": "double precision"}.get(kind, kind)
                tables[table].append((column, kind))
        for table, columns in tables.items():
            self.connection.execute(f"create table history.{table} ({', '.join(f'{c} {k}' for c, k in columns)})")
            names = ", ".join(column for column, _ in columns)
            exported = self.folder / "table.csv"
            duck.connection.execute(f"copy (select {names} from history.{table}) to '{exported}' (format csv, header false)")
            with open(exported, "rb") as file, self.connection.cursor().copy(f"copy history.{table} ({names}) from stdin (format csv)") as into:
                while part := file.read(1 << 20):
                    into.write(part)
            exported.unlink()
        for table in tables:
            self.connection.execute(f"create view {table} as {dialects.holding(table)}")
        for index in INDEXES:
            self.connection.execute(f"create index on history.{index}")
        for table, columns in EMPTY.items():
            if table not in tables:
                self.connection.execute(f"create table {table} ({columns})")
        self.connection.execute("vacuum analyze")

    def answer(self, sql: str) -> bytes:
        return copied(self.connection, sql)

    def close(self) -> None:
        self.connection.close()
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


def created(execute, functions: list, translate) -> None:
    """Makes the views, those first that others read."""
    waiting = {name: sql for name, sql in dialects.views().items() if name not in dialects.CALLED}
    # `books` is read by the functions' callers only, the rates by a function.
    for sql in functions:
        execute(sql)
    while waiting:
        names = {name: [other for other in waiting if other != name and re.search(rf"\b{other}\b", translate(sql))] for name, sql in waiting.items()}
        name = next(name for name, needs in names.items() if not needs or name == "books")
        execute(f"create view {name} as {translate(waiting.pop(name))}")


def copied(connection, sql: str) -> bytes:
    with connection.cursor().copy(f"copy ({sql}) to stdout (format csv, header)") as rows:
        return b"".join(rows)


def tables_of(ledger: pathlib.Path) -> dict:
    manifest = json.loads((ledger / "ledger.json").read_text())
    tables = collections.defaultdict(list)
    for posting in manifest["postings"]:
        folder = posting.get("folder") or f"postings/{posting['posting']:06}"
        for table in posting["tables"]:
            tables[table].append(ledger / folder / f"{table}.parquet")
    return tables


def value(text: str):
    try:
        return decimal.Decimal(text).normalize()
    except decimal.InvalidOperation:
        # PostgreSQL and tieout write times in different ways; days are all that is asked for.
        return re.sub(r"^(\d{4}-\d\d-\d\d)[ T]00:00:00(\.0+)?(\+00|Z)?$", r"\1", text)


def rows_of(answer: bytes) -> tuple:
    rows = csv.reader(io.StringIO(answer.decode()))
    columns = next(rows)
    kept = [place for place, column in enumerate(columns) if column not in UNLIKE]
    last = [place for place in kept if RATIO.search(columns[place])]
    first = [place for place in kept if place not in last]
    apart = [([value(row[place]) for place in first], [value(row[place]) for place in last]) for row in rows]
    return columns, sorted(apart, key=lambda row: [str(cell) for cell in row[0]])


def difference(ours: bytes, theirs: bytes) -> str:
    """What the first difference is; empty if there is none."""
    (columns, one), (others, other) = rows_of(ours), rows_of(theirs)
    if columns != others:
        return f"columns {columns} and {others}"
    if len(one) != len(other):
        return f"{len(one)} and {len(other)} rows"
    for (exact, ratios), (exact_too, ratios_too) in zip(one, other):
        if exact != exact_too:
            return f"{exact} and {exact_too}"
        for left, right in zip(ratios, ratios_too):
            alike = left == right
            if not alike and isinstance(left, decimal.Decimal) and isinstance(right, decimal.Decimal):
                alike = abs(left - right) <= max(decimal.Decimal(1), abs(left)) / 1000
            if not alike:
                return f"{exact}: {left} and {right}"
    return ""


def questions(payment: str) -> dict:
    """Name to (SQL for tieout, for DuckDB, for PostgreSQL)."""
    asked = {}
    for name in dialects.views():
        if name in dialects.CALLED:
            sql = dialects.views()[name]
            asked[f"{name}('...')"] = (f"select * from {name}('{payment}')", dialects.for_duckdb(sql, payment), dialects.for_postgres(sql, payment))
        else:
            asked[name] = (f"select * from {name}",) * 3
    for part in (HERE / "questions.sql").read_text().split("-- name: ")[1:]:
        name, sql = part.split("\n", 1)
        asked[name] = (sql.strip().replace(":payment", payment),) * 3
    return asked


def timed(engine, sql: str) -> tuple:
    began = time.perf_counter()
    answer = engine.answer(sql)
    return time.perf_counter() - began, answer


def ask_all(options, engines: list, payment: str) -> list:
    results = []
    for name, texts in questions(payment).items():
        if options.only not in name:
            continue
        times, first, failed = {engine.name: [] for engine in engines}, {}, {}
        for number in range(options.rounds + 1):
            for engine, sql in zip(engines, texts):
                done = times[engine.name]
                # What takes long is asked once more, and no oftener.
                if engine.name in failed or (number > 1 and statistics.median(done) > 20):
                    continue
                try:
                    seconds, answer = timed(engine, sql)
                except Exception as error:
                    failed[engine.name] = str(error).strip().split("\n")[0]
                    continue
                if number == 0:
                    first[engine.name] = answer
                    # The first time warms; what takes minutes is not asked again.
                    if seconds < 60:
                        continue
                done.append(seconds)
        ours = first.get("tieout", b"")
        differs = {engine: found for engine, answer in first.items() if engine != "tieout" and (found := difference(ours, answer))}
        medians = {engine: statistics.median(done) for engine, done in times.items() if done}
        results.append({"name": name, "rows": ours.count(b"\n") - 1, "seconds": medians, "differs": differs, "failed": failed})
        told = ", ".join(f"{engine} {seconds * 1000:,.0f} ms" for engine, seconds in medians.items())
        print(f"{name}: {told} {differs or ''} {failed or ''}", flush=True)
    return results


def mean_ratio(results: list, engine: str) -> float:
    ratios = [own["seconds"][engine] / own["seconds"]["tieout"] for own in results if {engine, "tieout"} <= own["seconds"].keys()]
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else math.nan


def table(results: list, engines: list) -> list:
    others = [engine.name for engine in engines[1:]]
    lines = [f"| | rows | tieout ms | {' | '.join(f'{name} ms | times' for name in others)} |", "|---|" + "---:|" * (2 + 2 * len(others))]
    for own in results:
        cells = [own["name"], f"{own['rows']:,}", f"{own['seconds']['tieout'] * 1000:,.1f}" if "tieout" in own["seconds"] else "failed"]
        for name in others:
            seconds = own["seconds"].get(name)
            cells += [f"{seconds * 1000:,.1f}", f"{seconds / own['seconds']['tieout']:.2f}"] if seconds and "tieout" in own["seconds"] else ["given up", ""]
        lines.append(f"| {' | '.join(cells)} |")
    means = " | ".join(f"| {mean_ratio(results, name):.2f}" for name in others)
    return [*lines, f"| **geometric mean** | | {means} |", ""]


def made(options) -> dict:
    """The ledger, made anew; with --only the one of before, if there is one."""
    ledger, told = options.work / "ledger", options.work / "told.json"
    if not (options.only and told.is_file()):
        shutil.rmtree(ledger, ignore_errors=True)
        words = [RELEASE / "examples" / "history", ledger, "--transactions", options.rows]
        began = time.perf_counter()
        done = subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True)
        told.write_text(json.dumps(json.loads(done.stdout) | {"seconds": round(time.perf_counter() - began, 1)}))
    return json.loads(told.read_text()) | {"bytes": sum(path.stat().st_size for path in ledger.rglob("*.parquet"))}


def codes_in(server: Tieout) -> dict:
    sql = "select distinct type_code, bai_type(type_code), iso_code(type_code) from transactions where type_code is not null order by 1"
    return {code: {"bai": bai, "iso": iso} for code, bai, iso in server.connection.execute(sql).fetchall()}


def inside(options) -> int:
    import wire

    began = time.perf_counter()
    load = os.getloadavg()
    about = made(options)
    ledger = options.work / "ledger"
    server = Tieout(ledger, options.patience)
    engines, absent = [server], []
    try:
        sql = "select min(payment_id) from exceptions where reason = 'ambiguous_items' and candidates like '%|%'"
        payment = server.connection.execute(sql).fetchone()[0]
        duck = DuckDb(ledger, codes_in(server), payment)
        engines.append(duck)
        needed, free = POSTGRES_BYTES * options.rows, shutil.disk_usage("/var/tmp").free
        if options.no_postgres or not options.postgres.is_dir():
            absent.append("PostgreSQL is not there")
        elif needed > free:
            absent.append(f"PostgreSQL was left out: it would need about {needed >> 30} GB of disk, and {free >> 30} are free")
        else:
            loading = time.perf_counter()
            engines.append(Postgres(options.postgres, duck, codes_in(server), payment, options.patience))
            print(f"PostgreSQL has the rows after {time.perf_counter() - loading:.0f} s", flush=True)
        results = ask_all(options, engines, payment)
    finally:
        for engine in engines:
            engine.close()
    lines = [
        "# SQL over years of history", "", "Made by `python3 bench/compare/sql.py`.", "", *machine(),
        f"- load of the machine when it began: {load[0]:.1f} (1 minute), {load[1]:.1f} (5 minutes)",
        *([f"- {options.note}"] if options.note else []), *(f"- {line}" for line in absent),
        f"- {about['transactions']:,} bank lines, {about['payments']:,} payments and {about['items']:,} items of four years, "
        f"{about['bytes'] / 2**30:.2f} GiB of Parquet, made in {about['seconds']} s", "",
        "Milliseconds until the last row was there as CSV, medians of "
        f"{options.rounds} rounds in which the engines took turns, after one that warms; `times` is how often tieout's time "
        "fits into it. Every answer was compared.", "", *table(results, engines),
    ]
    if not options.no_wire:
        lines += wire.measured(options)
    lines += [f"The whole took {(time.perf_counter() - began) / 60:.0f} minutes.", ""]
    print("\n".join(lines))
    if not options.only:
        options.results.write_text("\n".join(lines), encoding="utf-8")
    wrong = [own for own in results if own["differs"] or own["failed"]]
    for own in wrong:
        print(f"{own['name']}: {own['differs']} {own['failed']}", file=sys.stderr)
    return 1 if any(own["differs"] or "tieout" in own["failed"] for own in wrong) else 0


def main() -> int:
    options = arguments()
    if options.inside:
        return inside(options)
    options.work.mkdir(parents=True, exist_ok=True)
    python = environment(options.work / "venv", PACKAGES)
    return subprocess.run([python, __file__, *sys.argv[1:], "--inside"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
