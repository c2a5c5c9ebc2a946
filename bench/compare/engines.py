"""tieout, DuckDB and PostgreSQL with the same tables and views, for `sql.py`.

Each answers SQL with all rows as CSV into a file of a memory disk: DuckDB itself, tieout and PostgreSQL
by `copy (...) to stdout` to a psql that stays connected. (A client in Python takes 6 us a row.)
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import threading
import time

import dialects
from measuring import RELEASE

# Gigabytes that tieout and DuckDB may use each. They take turns, but what one keeps the others lack.
MEMORY_GB = 10
POSTGRES_SKIPS = {"byte_start", "byte_end", "extra", "raw", "margin"}
INDEXES = [
    "transactions (booking_date)", "transactions (account, booking_date)", "transactions (transaction_id)",
    "payments (payment_id)", "payments (booking_date)", "payments (party_id)", "payments (amount)",
    "applications (payment_id)", "applications (item_id)", "open_items (item_id)", "open_items (due_date)",
    "exceptions (payment_id)", "duplicates (payment_id)", "evidence (payment_id)", "parties (party_id)",
    "balances (account, currency, as_of_date)", "reversals (what, id, reversed_posting)",
    "exchange_rates (base_currency, quote_currency, rate_date)", "journal (payment_id)",
]
# Tables of which the history has no rows, as far as views read them.
EMPTY = {
    "settlement_lines": "booking_date date, settlement_date date, merchant_account text, processor text, line_type text, "
    "description text, currency text, fee decimal(23, 5), source_file text, source_line bigint",
}


class TooSlow(Exception):
    """A question that was given up after its seconds."""


class Psql:
    """A psql that stays connected, and puts what it is answered into a file."""

    def __init__(self, where: str, **user):
        self.file = pathlib.Path("/dev/shm") / f"tieout-sql-{os.getpid()}-{id(self)}.csv"
        words = ["psql", "-X", "-q", "-d", where]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(words, text=True, bufsize=1, **pipes, **user)

    def copied(self, sql: str) -> bytes:
        """All rows as CSV; what psql says otherwise is the error."""
        text = f"\\o {self.file}\ncopy ({sql}\n) to stdout (format csv, header);\n\\o\n\\echo -- done\n"
        self.process.stdin.write(text)
        told = []
        for line in self.process.stdout:
            if line == "-- done\n":
                break
            told.append(line)
        if told:
            raise RuntimeError("".join(told))
        return self.file.read_bytes()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.file.unlink(missing_ok=True)


class Tieout:
    """The server over the ledger, and one connection to it."""

    name = "tieout"

    def __init__(self, ledger: pathlib.Path, seconds: int):
        import psycopg

        settings = ledger.parent / "server.toml"
        memory = MEMORY_GB << 10
        settings.write_text(f"[limits]\nquery_seconds = {seconds}\nquery_memory_mb = {memory}\nmemory_mb = {memory}\n")
        words = [RELEASE / "tieout", "serve", "--pg", "127.0.0.1:0", "--ledger", ledger, "--config", settings]
        self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.search(r" on 127\.0\.0\.1:(\d+)$", line.strip()):
                self.port = int(found[1])
                break
        self.connection = psycopg.connect(f"host=127.0.0.1 port={self.port} user=ann dbname=tieout", autocommit=True)
        self.psql = Psql(f"host=127.0.0.1 port={self.port} user=ann dbname=tieout")

    def answer(self, sql: str, _seconds: float) -> bytes:
        return self.psql.copied(sql)

    def reads_totals(self, sql: str) -> bool:
        """Whether a part of the answer comes from what joined files say their rows add up to."""
        plan = self.connection.execute(f"explain {sql}").fetchall()
        return any("StreamingTableExec" in cell for row in plan for cell in row)

    def cpu(self) -> float:
        """Processor seconds so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.psql.close()
        self.connection.close()
        self.process.terminate()
        self.process.wait()


class DuckDb:
    """DuckDB in this process, over the ledger's Parquet files."""

    def __init__(self, ledger: pathlib.Path, codes: dict, payment: str):
        import duckdb

        self.name = f"DuckDB {duckdb.__version__}"
        self.interrupted = duckdb.InterruptException
        self.connection = duckdb.connect()
        settings = f"set memory_limit = '{MEMORY_GB}GB'; set temp_directory = '{ledger.parent / 'duckdb'}'; set parquet_metadata_cache = true"
        self.connection.execute(f"{settings}; create schema history")
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

    def answer(self, sql: str, seconds: float) -> bytes:
        clock = threading.Timer(seconds, self.connection.interrupt)
        clock.start()
        try:
            self.connection.execute(f"copy ({sql}) to '{self.file}' (format csv, header)")
        except self.interrupted as error:
            raise TooSlow from error
        finally:
            clock.cancel()
        return self.file.read_bytes()

    def cpu(self) -> float:
        """Processor seconds of this process so far."""
        times = os.times()
        return times.user + times.system

    def close(self) -> None:
        self.file.unlink(missing_ok=True)
        self.connection.close()


class Postgres:
    """PostgreSQL, as its own user where this is root, with what DuckDB gives of the same files."""

    name = "PostgreSQL 15"

    def __init__(self, programs: pathlib.Path, duck: DuckDb, ledger: pathlib.Path, codes: dict, payment: str, kept: pathlib.Path | None):
        self.programs, self.is_kept = programs, kept is not None
        self.folder = kept or pathlib.Path("/var/tmp") / f"tieout-sql-{os.getpid()}"
        # What was loaded, and how long it took, once all of it is there.
        told = self.folder / "loaded.json"
        is_there = told.is_file()
        if not is_there:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
        self.user = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if self.user:
            of_postgres = pwd.getpwnam("postgres")
            os.chown(self.folder, of_postgres.pw_uid, of_postgres.pw_gid)
        data = self.folder / "data"
        if not is_there:
            self.run("initdb", "-D", data, "-A", "trust", "-U", "books", "--no-sync")
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
        # What it would do to survive a crash is switched off: it is only to be asked.
        settings = (
            f"-k {self.folder} -c listen_addresses= -c shared_buffers={memory // 8}MB -c effective_cache_size={memory // 2}MB "
            "-c work_mem=256MB -c maintenance_work_mem=1GB -c max_wal_size=8GB -c random_page_cost=1.1 -c wal_level=minimal "
            "-c max_wal_senders=0 -c full_page_writes=off -c fsync=off -c autovacuum=off"
        )
        self.run("pg_ctl", "-D", data, "-w", "-o", settings, "-l", self.folder / "log", "start")
        self.connection = self.psql = None
        try:
            self.connection = self.connect()
            self.psql = Psql(f"host={self.folder} user=books dbname=postgres")
            if not is_there:
                began = time.perf_counter()
                self.connection.execute("create schema history")
                self.load(duck, ledger)
                created(self.connection.execute, dialects.functions(codes, True), lambda sql: dialects.for_postgres(sql, payment))
                told.write_text(json.dumps({"seconds": round(time.perf_counter() - began)}))
            self.load_seconds = json.loads(told.read_text())["seconds"]
        except BaseException:
            # Nobody else would stop it.
            self.close()
            raise

    def connect(self):
        import psycopg

        return psycopg.connect(f"host={self.folder} user=books dbname=postgres", autocommit=True)

    def run(self, program: str, *words) -> None:
        words = [str(word) for word in (self.programs / program, *words)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.user)

    def load(self, duck: DuckDb, ledger: pathlib.Path) -> None:
        words = "select table_name, column_name, data_type from information_schema.columns where table_schema = 'history' order by all"
        columns = collections.defaultdict(list)
        for table, column, kind in duck.connection.execute(words).fetchall():
            if column not in POSTGRES_SKIPS:
                kind = {"VARCHAR": "text", "UBIGINT": "bigint", "DOUBLE": "double precision"}.get(kind, kind)
                columns[table].append((column, kind))
        tables = tables_of(ledger)
        largest_first = sorted(tables, key=lambda table: sum(file.stat().st_size for file in tables[table]), reverse=True)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            # A cursor of DuckDB and a connection of PostgreSQL each.
            done = [threads.submit(self.fill, duck.connection.cursor(), table, columns[table], tables[table]) for table in largest_first]
            for table in done:
                table.result()
        for table in tables:
            self.connection.execute(f"create view {table} as {dialects.holding(table)}")
        for table, words in EMPTY.items():
            if table not in tables:
                self.connection.execute(f"create table {table} ({words})")

    def fill(self, duck, table: str, columns: list, files: list) -> None:
        """The rows of one table, file by file and frozen as they are written, then its indexes and statistics."""
        names = ", ".join(column for column, _ in columns)
        exported = self.folder / f"{table}.csv"
        with self.connect() as connection:
            with connection.transaction():
                connection.execute(f"create unlogged table history.{table} ({', '.join(f'{c} {k}' for c, k in columns)})")
                for file in files:
                    duck.execute(f"copy (select {names} from '{file}') to '{exported}' (format csv, header false)")
                    connection.execute(f"copy history.{table} ({names}) from '{exported}' (format csv, freeze)")
            exported.unlink()
            for index in INDEXES:
                if index.split()[0] == table:
                    connection.execute(f"create index on history.{index}")
            connection.execute(f"vacuum analyze history.{table}")

    def answer(self, sql: str, seconds: float) -> bytes:
        self.psql.process.stdin.write(f"set statement_timeout = '{seconds:.0f}s';\n")
        try:
            return self.psql.copied(sql)
        except RuntimeError as error:
            if "statement timeout" in str(error):
                raise TooSlow from error
            raise

    def bytes(self) -> int:
        return self.connection.execute("select pg_database_size('postgres')").fetchone()[0]

    def close(self) -> None:
        if self.psql:
            self.psql.close()
        if self.connection:
            self.connection.close()
        # One that is kept is to find its tables again, which are not logged.
        is_whole = self.is_kept and (self.folder / "loaded.json").is_file()
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "fast" if is_whole else "immediate", "-t", "600", "stop")
        if not is_whole:
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


def tables_of(ledger: pathlib.Path) -> dict:
    manifest = json.loads((ledger / "ledger.json").read_text())
    tables = collections.defaultdict(list)
    for posting in manifest["postings"]:
        folder = posting.get("folder") or f"postings/{posting['posting']:06}"
        for table in posting["tables"]:
            tables[table].append(ledger / folder / f"{table}.parquet")
    return tables
