"""What clients of the server see: the first row of a query, a payment after its commit, and what a run
loses to analysts who ask all the while. Part of `bench/compare/sql.py`; by itself

    python3 bench/compare/wire.py

writes bench/CLIENTS.md. The rows are the generator's, `tieout-bench generate`.
"""

import argparse
import datetime
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

from measuring import HERE, RELEASE, ROOT, environment, machine, page_command

ANALYSTS = 8
ROUNDS = 200
RUNS = 3
SIMPLE = ["select 1", "select * from payments limit 1", "select status, count(*), sum(amount) from payments group by 1"]
ASKED = [
    "select status, count(*), sum(amount) from payments group by 1",
    "select * from match_rate",
    "select * from receivables_ageing",
    "select * from unapplied_cash order by amount desc limit 50",
    "select booking_date, sum(amount) from transactions group by 1 order by 1",
]
RUNAWAY = "select count(*) from payments a, payments b, payments c where a.amount + b.amount > c.amount"


class Server:
    """`tieout serve` over a ledger; `apart` in a session of its own, as a service or another terminal is,
    whose threads the system weighs against those of other sessions as a whole.
    """

    def __init__(self, ledger: pathlib.Path, apart: bool = False):
        words = [RELEASE / "tieout-server", "--pg", "127.0.0.1:0", "--ledger", ledger]
        self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True,
                                        start_new_session=apart)
        for line in self.process.stdout:
            if found := re.search(r" on 127\.0\.0\.1:(\d+)$", line.strip()):
                self.port = int(found[1])
                return
        raise SystemExit("the server did not start")

    def connect(self, user: str = "ann"):
        import psycopg

        return psycopg.connect(f"host=127.0.0.1 port={self.port} user={user} dbname=tieout", autocommit=True)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


class Asking:
    """Clients that ask one query after the other until they are told to stop."""

    def __init__(self, server: Server, queries: list, clients: int):
        self.stop, self.answers, self.errors = threading.Event(), 0, []
        self.threads = [threading.Thread(target=self.ask, args=(server, queries, number)) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self, server: Server, queries: list, number: int) -> None:
        connection = server.connect(f"analyst{number}")
        while not self.stop.is_set():
            for sql in queries:
                try:
                    connection.execute(sql).fetchall()
                    self.answers += 1
                except Exception as error:
                    if not self.stop.is_set():
                        self.errors.append(str(error).split("\n")[0])
                if self.stop.is_set():
                    break
        connection.close()

    def end(self, server: Server) -> None:
        self.stop.set()
        # What runs on is cancelled by the end of the server, if not before.
        for thread in self.threads:
            thread.join(timeout=60)


def run(path: pathlib.Path, ledger: pathlib.Path) -> float:
    began = time.perf_counter()
    done = subprocess.run([str(RELEASE / "tieout"), "run", str(path), "--ledger", str(ledger), "--quiet"], check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(f"the run ended with {done.returncode}")
    return time.perf_counter() - began


def generated(folder: pathlib.Path, payments: int, seed: int) -> pathlib.Path:
    if not folder.exists():
        words = [RELEASE / "tieout-bench", "generate", "--payments", payments, "--seed", seed, "--out", folder]
        subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)
    return folder


def first_rows(server: Server) -> list:
    connection, lines = server.connect(), []
    for sql in SIMPLE:
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            connection.execute(sql).fetchone()
            times.append((time.perf_counter() - began) * 1000)
        times.sort()
        lines.append(f"| `{sql}` | {times[0]:.2f} | {statistics.median(times):.2f} | {times[ROUNDS * 95 // 100]:.2f} |")
    connection.close()
    return lines


def seen_after(server: Server, ledger: pathlib.Path, path: pathlib.Path) -> tuple:
    """Milliseconds to the first answer with a new payment: from the moment at which the ledger's manifest was written,
    which is what readers look at, and from the last event of the run, which was before its commit.
    """
    connection = server.connect()
    count = "select count(*) from payments"
    before = connection.execute(count).fetchone()
    writer = subprocess.Popen([str(RELEASE / "tieout"), "run", str(path), "--ledger", str(ledger), "--quiet"])
    while connection.execute(count).fetchone() == before:
        if writer.poll() is not None and connection.execute(count).fetchone() == before:
            raise SystemExit("the run brought no payment")
        time.sleep(0.001)
    seen = time.time()
    writer.wait()
    shown = os.stat(ledger / "ledger.json").st_mtime
    (text,) = connection.execute("select max(recorded_at) from history.journal").fetchone()
    recorded = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    connection.close()
    return (seen - shown) * 1000, (seen - recorded) * 1000


def beside(base: pathlib.Path, morning: pathlib.Path, work: pathlib.Path, queries: list, clients: int, apart: bool) -> tuple:
    """Seconds of a run into a copy of the ledger `base` while so many clients ask, and how many answers they got."""
    ledger = work / "running"
    shutil.rmtree(ledger, ignore_errors=True)
    shutil.copytree(base, ledger)
    server = Server(ledger, apart)
    asking = Asking(server, queries, clients)
    try:
        if clients:
            time.sleep(1)
        before, seconds = asking.answers, run(morning, ledger)
        answers = asking.answers - before
        asking.stop.set()
    finally:
        server.close()
        asking.end(server)
    if asking.errors:
        print(f"errors of analysts: {asking.errors[:3]}", file=sys.stderr)
    return seconds, answers


def measured(options) -> list:
    """The part of the page that tells of this."""
    work = options.work / "wire"
    work.mkdir(parents=True, exist_ok=True)
    base = work / "base"
    if not base.exists():
        run(generated(work / "before", options.payments // 5, 3), base)
    morning = generated(work / "morning", options.payments, 4)
    ledger = work / "watched"
    shutil.rmtree(ledger, ignore_errors=True)
    shutil.copytree(base, ledger)
    server = Server(ledger)
    try:
        first = first_rows(server)
        seen = [seen_after(server, ledger, generated(work / f"few-{seed}", 200, seed)) for seed in range(11, 16)]
    finally:
        server.close()
    ways = {
        "nobody": ([], 0, False),
        f"{ANALYSTS} analysts": (ASKED, ANALYSTS, False),
        "a runaway query": ([RUNAWAY], 1, False),
        f"{ANALYSTS} analysts, the server in a session of its own": (ASKED, ANALYSTS, True),
        "a runaway query, the server in a session of its own": ([RUNAWAY], 1, True),
    }
    times, answers = {name: [] for name in ways}, {name: 0 for name in ways}
    for _ in range(RUNS):
        for name, (queries, clients, apart) in ways.items():
            seconds, got = beside(base, morning, work, queries, clients, apart)
            times[name].append(seconds)
            answers[name] += got
            print(f"a run of {options.payments:,} payments beside {name}: {seconds:.2f} s, {got} answers", flush=True)
    shown, recorded = zip(*seen)
    alone = statistics.median(times["nobody"])
    lines = ["## Clients and runs", "", "| first row of | least ms | median ms | 95th ms |", "|---|---:|---:|---:|", *first, "",
             f"A payment was seen {statistics.median(shown):.1f} ms after the ledger showed it (median of {len(seen)} runs of "
             f"200 payments; {', '.join(f'{ms:.1f}' for ms in shown)}), {statistics.median(recorded):.1f} ms after the last event "
             f"of its run, the commit included ({', '.join(f'{ms:.1f}' for ms in recorded)}).", "",
             f"| {options.payments:,} payments run into a ledger beside | seconds | payments a second | of the speed alone | answers meanwhile |",
             "|---|---:|---:|---:|---:|"]
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        lines.append(f"| {name} | {middle:.2f} | {options.payments / middle:,.0f} | {alone / middle * 100:.0f}% | {answers[name] // RUNS:,} |")
    return [*lines, ""]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=300_000)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "sql")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "CLIENTS.md")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        load = os.getloadavg()[0]
        about = ["# The server's clients", "", f"Made by `{page_command()}`.", "", *machine(), f"- load of the machine when it began: {load:.1f}", ""]
        page = "\n".join([*about, *measured(given)])
        print(page)
        given.results.write_text(page, encoding="utf-8")
    else:
        given.work.mkdir(parents=True, exist_ok=True)
        python = environment(given.work / "venv", ["psycopg[binary]==3.3.9"])
        sys.exit(subprocess.run([python, __file__, *sys.argv[1:], "--inside"], check=False).returncode)
