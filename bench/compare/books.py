#!/usr/bin/env python3
"""tieout's ledger, SQLite and PostgreSQL as stores of the same decisions, one after the other.

Each payment is one row of `payments`, one of `applications`, and its amount taken off its item, refused
where the item has less. Every commit is on disk when it returns (SQLite: WAL, synchronous=FULL; PostgreSQL:
fsync and synchronous_commit on). Single payments are one commit each; batches are one commit each. What is
timed for tieout is the whole posting, with the Parquet tables that SQL reads; in a session, which keeps the
ledger open for single payments, they are written behind the commit and are in the whole time. Writes bench/BOOKS.md.

Needs the command, the example, and PostgreSQL's own programs for its part (Debian: postgresql):

    cargo build --release -p tieout-cli -p tieout-bench --bin tieout --example books
    python3 bench/compare/books.py
"""

import argparse
import csv
import json
import os
import pathlib
import pwd
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import time

from measuring import HERE, RELEASE, ROOT, environment, machine, page_command

PSYCOPG = "psycopg[binary]==3.3.9"
EXAMPLE = RELEASE / "examples" / "books"
INDEXED = {"payments": "payment_id", "open_items": "item_id"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--single", type=int, default=300, help="payments that are committed one by one")
    parser.add_argument("--threads", type=int, default=8, help="clients that commit single payments at once")
    parser.add_argument("--payments", type=int, default=200_000, help="payments that are committed in batches")
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--history", type=int, default=1_000_000, help="payments of past years, for the start at scale")
    parser.add_argument("--open", type=int, default=200_000, help="open items of the start at scale")
    parser.add_argument("--grown", type=pathlib.Path, help="a ledger that `books grow` made before, of --grown-history and --grown-open; it is kept")
    parser.add_argument("--grown-history", type=int, default=50_000_000)
    parser.add_argument("--grown-open", type=int, default=10_000_000)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "books")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "BOOKS.md")
    parser.add_argument("--note", default="", help="a line about this machine or build, for the page")
    parser.add_argument("--postgres", type=pathlib.Path, default=pathlib.Path("/usr/lib/postgresql/15/bin"))
    parser.add_argument("--inside", choices=["postgres"], help=argparse.SUPPRESS)
    return parser.parse_args()


def example(*words) -> dict:
    done = subprocess.run([str(word) for word in (EXAMPLE, *words)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout) if done.stdout else {}


def read(path: pathlib.Path) -> tuple:
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        return header, [[cell or None for cell in row] for row in rows]


class Store:
    """A database with the three tables; `mark` is how it writes a parameter."""

    def __init__(self, connection, mark: str, rows: pathlib.Path) -> None:
        self.connection, self.mark = connection, mark
        self.tables = {name: read(rows / f"{name}.csv") for name in ("open_items", "payments", "applications")}

    def create(self) -> None:
        cursor = self.connection.cursor()
        for name, (header, _) in self.tables.items():
            numbers = {"amount", "open_amount", "applied", "on_account", "unapplied"}
            columns = [f"{column} {'numeric' if column in numbers else 'text'}" for column in header]
            cursor.execute(f"create table {name} ({', '.join(columns)})")
            if name in INDEXED:
                cursor.execute(f"create unique index {name}_key on {name} ({INDEXED[name]})")
        cursor.executemany(self.insert("open_items"), self.tables["open_items"][1])
        self.connection.commit()

    def insert(self, name: str) -> str:
        marks = ", ".join([self.mark] * len(self.tables[name][0]))
        return f"insert into {name} values ({marks})"

    def post(self, per_commit: int) -> list:
        """The seconds of each commit."""
        payments, applications = (self.tables[name][1] for name in ("payments", "applications"))
        header = self.tables["applications"][0]
        item, applied = header.index("item_id"), header.index("applied")
        take = (
            f"update open_items set open_amount = open_amount - {self.mark} "
            f"where item_id = {self.mark} and open_amount >= {self.mark}"
        )
        cursor, times = self.connection.cursor(), []
        for first in range(0, len(payments), per_commit):
            some, parts = payments[first : first + per_commit], applications[first : first + per_commit]
            began = time.perf_counter()
            cursor.executemany(self.insert("payments"), some)
            cursor.executemany(self.insert("applications"), parts)
            cursor.executemany(take, [(row[applied], row[item], row[applied]) for row in parts])
            self.connection.commit()
            times.append(time.perf_counter() - began)
        return times


def told(times: list, payments: int, size: int) -> dict:
    times = sorted(times)
    at = lambda share: times[min(int(len(times) * share), len(times) - 1)] * 1e3
    return {"payments": payments, "seconds": sum(times), "p50_ms": at(0.5), "p99_ms": at(0.99), "bytes": size}


def size(folder: pathlib.Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def with_sqlite(folder: pathlib.Path, rows: pathlib.Path, per_commit: int) -> dict:
    folder.mkdir(parents=True)
    connection = sqlite3.connect(folder / "books.sqlite")
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    store = Store(connection, "?", rows)
    store.create()
    times = store.post(per_commit)
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    return told(times, len(store.tables["payments"][1]), size(folder))


def with_postgres(options, rows: pathlib.Path, per_commit: int) -> dict:
    """Runs as PostgreSQL's own user, which may not be root."""
    folder = pathlib.Path("/tmp") / f"tieout-books-{os.getpid()}"
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
    folder.mkdir()
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    as_user = {"user": "postgres", "group": "postgres"} if user else {}
    run = lambda *words: subprocess.run(
        [str(word) for word in words], check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user
    )
    data = folder / "data"
    run(options.postgres / "initdb", "-D", data, "-A", "trust", "-U", "books")
    run(options.postgres / "pg_ctl", "-D", data, "-w", "-o", f"-k {folder} -c listen_addresses=", "-l", folder / "log", "start")
    try:
        python = environment(options.work / "venv", [PSYCOPG])
        script = [python, __file__, "--inside", "postgres", "--work", rows, "--batch", per_commit, "--results", folder]
        done = subprocess.run([str(word) for word in script], check=True, stdout=subprocess.PIPE, text=True)
        inside = json.loads(done.stdout)
    finally:
        run(options.postgres / "pg_ctl", "-D", data, "-m", "fast", "stop")
        shutil.rmtree(folder, ignore_errors=True)
    return inside


def inside_postgres(options) -> None:
    import psycopg

    connection = psycopg.connect(f"host={options.results} user=books dbname=postgres")
    store = Store(connection, "%s", options.work)
    store.create()
    times = store.post(options.batch)
    tables = ", ".join(f"pg_total_relation_size('{name}')" for name in store.tables)
    used = sum(connection.execute(f"select {tables}").fetchone())
    print(json.dumps(told(times, len(store.tables["payments"][1]), used)))


def killed(options, payments: int) -> dict:
    """The next start after a writer was killed in the middle of a posting."""
    times = []
    for seconds in (0.7, 1.1, 1.6):
        folder = options.work / "killed"
        shutil.rmtree(folder, ignore_errors=True)
        example("post", folder, payments, options.batch)
        more = [EXAMPLE, "post", folder, payments, payments]
        writer = subprocess.Popen([str(word) for word in more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        size_of = (folder / "journal.redb").stat().st_size
        started = example("start", folder)
        times.append((started["writer_ms"], size_of))
    return {"writer_ms": statistics.median(ms for ms, _ in times), "journal_bytes": times[0][1]}


STATEMENT = """01,021000021,TIEOUT,260331,0600,12500,,,2/
02,TIEOUT,021000021,1,260331,0600,USD,2/
03,7700112233,USD,/
16,142,12500,Z,B1,,CUSTOMER 7 TRADING INC {number}
49,12500,3/
98,12500,1,5/
99,12500,1,7/
"""


def answered(words: list) -> tuple:
    """Seconds until the command is done, and MiB that it had in memory at most."""
    began = time.perf_counter()
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        raise SystemExit(f"{words[1]} ended with {process.returncode}")
    return seconds, used.ru_maxrss / 1024


def at_scale(options) -> list:
    """What people wait for in ledgers of years."""
    ledger = options.work / "years"
    example("grow", ledger, options.history, options.open)
    lines = waited_for(options, ledger, options.history, options.open, verifies=True)
    shutil.rmtree(ledger)
    if options.grown:
        lines += waited_for(options, options.grown, options.grown_history, options.grown_open, verifies=False)
    return lines


def waited_for(options, ledger: pathlib.Path, history: int, still_open: int, verifies: bool) -> list:
    day = options.work / f"day-{history}"
    day.mkdir()
    number = f"INV-{history + still_open // 2}"
    size = sum(file.stat().st_size for file in ledger.rglob("*") if file.is_file())
    (day / "statement.bai").write_text(STATEMENT.format(number=number), encoding="utf-8")
    asked = {
        "`tieout sql \"select count(*) from payments\"`": ["sql", "select count(*) from payments"],
        "`tieout queue`": ["queue"],
        "`tieout run` of a file with one payment": ["run", day, "--quiet"],
    }
    if verifies:
        asked["`tieout audit verify`"] = ["audit", "verify"]
    lines = [
        f"## {history:,} payments of past years, {still_open:,} open items",
        "",
        f"{size / 2**30:.2f} GiB on disk.",
        "",
        "| until it is done | seconds | MiB in memory |",
        "|---|---:|---:|",
    ]
    for title, words in asked.items():
        seconds, memory = answered([RELEASE / "tieout", *words, "--ledger", ledger])
        lines.append(f"| {title} | {seconds:.2f} | {memory:,.0f} |")
    began = example("start", ledger)
    return [*lines, "", f"Of the run, {began['carried_ms'] / 1e3:.2f} s go into reading the {began['count']:,} items that are open.", ""]


def main() -> None:
    options = arguments()
    if options.inside:
        inside_postgres(options)
        return
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    load = os.getloadavg()
    # First: a process has at least the memory of the one that began it.
    scale = at_scale(options)
    lines = []
    for title, payments, per_commit in (
        (f"{options.single:,} payments, one a commit", options.single, 1),
        (f"{options.payments:,} payments, {options.batch:,} a commit", options.payments, options.batch),
    ):
        rows = options.work / f"rows-{payments}"
        example("rows", rows, payments)
        results = {}
        if per_commit == 1:
            for threads in (1, options.threads):
                name = "1 client" if threads == 1 else f"{threads} clients at once"
                ledger = options.work / f"session-{threads}"
                results[f"tieout, session, {name}"] = example("single", ledger, payments, "--threads", threads)
        opened = "tieout, opened for each" if per_commit == 1 else "tieout"
        results |= {
            opened: example("post", options.work / f"ledger-{payments}", payments, per_commit),
            f"SQLite {sqlite3.sqlite_version}": with_sqlite(options.work / f"sqlite-{payments}", rows, per_commit),
        }
        if options.postgres.is_dir():
            results["PostgreSQL 15"] = with_postgres(options, rows, per_commit)
        lines += [f"## {title}", "", "| | payments a second | p50 ms | p99 ms | bytes a payment |", "|---|---:|---:|---:|---:|"]
        for name, own in results.items():
            rate = own["payments"] / own["seconds"]
            lines.append(
                f"| {name} | {rate:,.0f} | {own['p50_ms']:,.1f} | {own['p99_ms']:,.1f} | {own['bytes'] / own['payments']:,.0f} |"
            )
        lines.append("")
    big = options.work / f"ledger-{options.payments}"
    verified, started, after = example("verify", big), example("start", big), killed(options, options.payments)
    journal = (big / "journal.redb").stat().st_size / 2**30
    lines += [
        "## Starting",
        "",
        "| what | ms |",
        "|---|---:|",
        f"| open to read, {journal:.2f} GiB of journal | {started['open_ms']:,.1f} |",
        f"| open to write | {started['writer_ms']:,.1f} |",
        f"| open to write after kill -9 ({after['journal_bytes'] / 2**30:.2f} GiB), median of 3 | {after['writer_ms']:,.1f} |",
        f"| verify: fold all events again, compare, digest every file | {verified['verify_ms']:,.0f} |",
        f"| the same a GiB of journal | {verified['verify_ms'] / journal:,.0f} |",
        "",
        *scale,
    ]
    head = [
        "# The ledger beside other stores",
        "",
        f"Made by `{page_command()}`.",
        "",
        *machine(),
        f"- load of the machine when it began: {load[0]:.1f} (1 minute), {load[1]:.1f} (5 minutes); "
        "under load the times say little but beside each other",
        *([f"- {options.note}"] if options.note else []),
        "",
        "tieout's bytes are the journal with its chain and the state, and the Parquet tables; the others have one copy "
        "of the rows and two indexes, and no history of what was changed. The others are driven from Python, row by "
        "row, and their times have the driver in them.",
        "",
    ]
    options.results.write_text("\n".join(head + lines), encoding="utf-8")
    sys.stdout.write("\n".join(lines))


if __name__ == "__main__":
    main()
