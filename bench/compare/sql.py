#!/usr/bin/env python3
"""The treasury's views and an analyst's questions over years of history: tieout, DuckDB, PostgreSQL.

The ledger is made by the example `history`: Parquet by month, and the last month as single postings.
DuckDB reads the same Parquet files; PostgreSQL has the columns that are asked for, with indexes, if its
programs are there (Debian: postgresql). Each asks the same SQL (bench/compare/dialects.py says how the
views are put) and gives all rows as CSV: tieout and PostgreSQL by `copy (...) to stdout` to psql, DuckDB
itself, each into a file of a memory disk. They take turns; the medians are compared. A difference between
their answers is a failure. Then bench/compare/wire.py measures what a client sees while a run writes.
Writes bench/SQL.md.

    cargo build --release -p tieout-cli -p tieout-server -p tieout-bench --bins --example history
    python3 bench/compare/sql.py [--rows 50000000]

A large history can be made beforehand with `--make`, PostgreSQL in `--postgres-data` with it, and be asked
again later with `--as-is`.
"""

import argparse
import array
import csv
import decimal
import functools
import io
import json
import math
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

import dialects
from engines import MEMORY_GB, DuckDb, Postgres, Tieout, TooSlow
from measuring import HERE, RELEASE, ROOT, environment, machine, page_command

PACKAGES = ["duckdb==2.0.1", "psycopg[binary]==3.3.9"]
# Bytes that PostgreSQL needs for a bank line with all that belongs to it, indexes and loading included.
POSTGRES_BYTES = 1_000
# Seconds after which tieout's own server gives a question up.
TIEOUT_SECONDS = 600
# Others are given up after so many times tieout's time, and not before these seconds.
TIMES_OF_TIEOUT = 30
LEAST_PATIENCE = 60
# Seconds that one question takes from one engine, as far as rounds can be left out.
SECONDS_OF_ONE = 10
# Bytes of an answer whose rows are compared by numbers made of them, so that they need not all be held.
LONG_ANSWER = 100 << 20
# A quotient may differ in its last place, and texts that only tieout writes are not compared.
RATIO = re.compile(r"rate$|dso$|delinquent$|^score$|^weight$|^likelihood$|^days_late$|in_reporting_currency$")
UNLIKE = {"rate_used", "detail", "description"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000, help="bank lines")
    parser.add_argument("--payments", type=int, default=100_000, help="payments of the run beside which analysts ask")
    parser.add_argument("--rounds", type=int, default=5, help="times that each question is asked after a first one")
    parser.add_argument("--patience", type=int, default=60, help="seconds after which DuckDB or PostgreSQL is given up")
    parser.add_argument("--only", default="", help="questions and views whose name has this; writes no page")
    parser.add_argument("--no-wire", action="store_true", help="leave out the clients beside a run")
    parser.add_argument("--no-postgres", action="store_true")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "sql")
    parser.add_argument("--make", action="store_true", help="make the history in --work, load PostgreSQL in --postgres-data, and end")
    parser.add_argument("--as-is", action="store_true", help="ask of the history that is in --work, whichever program made it")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "SQL.md")
    parser.add_argument("--note", default="", help="a line about this machine or build, for the page")
    parser.add_argument("--postgres", type=pathlib.Path, default=pathlib.Path("/usr/lib/postgresql/15/bin"))
    parser.add_argument("--postgres-data", type=pathlib.Path, help="folder in which PostgreSQL is loaded once, and kept")
    parser.add_argument("--not-of-postgres", default="", help="views, by commas, that PostgreSQL is not asked for")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


@functools.lru_cache(maxsize=1 << 20)
def value(text: str):
    try:
        return decimal.Decimal(text).normalize()
    except decimal.InvalidOperation:
        # PostgreSQL and tieout write times in different ways; days are all that is asked for.
        return re.sub(r"^(\d{4}-\d\d-\d\d)[ T]00:00:00(\.0+)?(\+00|Z)?$", r"\1", text)


def cells_of(answer: bytes) -> tuple:
    """The columns, and of each row the cells that are to be the same and those that may differ a little."""
    rows = csv.reader(io.TextIOWrapper(io.BytesIO(answer), newline=""))
    columns = next(rows)
    kept = [place for place, column in enumerate(columns) if column not in UNLIKE]
    last = [place for place in kept if RATIO.search(columns[place])]
    first = [place for place in kept if place not in last]
    return columns, (([value(row[place]) for place in first], [value(row[place]) for place in last]) for row in rows)


def rows_of(answer: bytes) -> tuple:
    columns, rows = cells_of(answer)
    return columns, sorted(rows, key=lambda row: [str(cell) for cell in row[0]])


def digest_of(answer: bytes) -> tuple:
    """The columns, a sorted number for the exact cells of each row, and the sum of all others."""
    (columns, rows), numbers, total = cells_of(answer), array.array("q"), decimal.Decimal(0)
    for exact, ratios in rows:
        numbers.append(hash(tuple(exact)))
        total += sum(cell for cell in ratios if isinstance(cell, decimal.Decimal))
    return columns, sorted(numbers), total


def difference(ours: bytes, theirs: bytes) -> str:
    """What the first difference is; empty if there is none. Answers too long for that differ as a whole."""
    if max(len(ours), len(theirs)) > LONG_ANSWER:
        (columns, one, total), (others, other, total_too) = digest_of(ours), digest_of(theirs)
        is_alike = (columns, one) == (others, other) and abs(total - total_too) <= max(decimal.Decimal(1), abs(total)) / 1000
        return "" if is_alike else f"{len(one)} rows and {len(other)}, which differ"
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


def asked_once(engine, sql: str, limit: float) -> tuple:
    """Seconds, processor seconds where they are known, and the answer."""
    cpu = getattr(engine, "cpu", lambda: math.nan)
    began, spent = time.perf_counter(), cpu()
    answer = engine.answer(sql, limit)
    return time.perf_counter() - began, cpu() - spent, answer


def ask(options, name: str, engines: list, texts: tuple) -> dict:
    """One question to all of them in turns. The first time warms."""
    own = {"name": name, "rows": 0, "seconds": {}, "cpu": {}, "slow": {}, "failed": {}, "differs": {}}
    times, first, limit = {engine.name: [] for engine in engines}, {}, options.patience
    for number in range(options.rounds + 1):
        for engine, sql in zip(engines, texts):
            done = times[engine.name]
            # What takes long is asked less often, and not again what takes longest.
            if engine.name in own["slow"] | own["failed"] or sum(seconds for seconds, _ in done) > SECONDS_OF_ONE:
                continue
            try:
                *took, answer = asked_once(engine, sql, limit)
            except TooSlow:
                own["slow"][engine.name] = limit
                continue
            except Exception as error:
                own["failed"][engine.name] = str(error).strip().split("\n")[0]
                continue
            done.append(took)
            if number == 0:
                first[engine.name] = answer
                if engine is engines[0]:
                    limit = min(options.patience, max(LEAST_PATIENCE, TIMES_OF_TIEOUT * took[0]))
    for engine, done in times.items():
        # The first one counts where there is no other.
        if engine not in own["failed"] and (counted := done[1:] or done):
            own["seconds"][engine], own["cpu"][engine] = (statistics.median(part) for part in zip(*counted))
    own["seconds"] |= own["slow"]
    own["totals"] = engines[0].reads_totals(texts[0])
    ours = first.get("tieout", b"")
    own["rows"] = ours.count(b"\n") - 1
    own["differs"] = {engine: found for engine, answer in first.items() if engine != "tieout" and (found := difference(ours, answer))}
    return own


def ask_all(options, engines: list, payment: str) -> list:
    results = []
    for name, texts in questions(payment).items():
        if options.only not in name:
            continue
        is_asked = name.split("(")[0] not in options.not_of_postgres.split(",")
        own = ask(options, name, [engine for engine in engines if is_asked or engine.name != Postgres.name], texts)
        results.append(own)
        told = ", ".join(f"{engine} {shown(own, engine)} ms" for engine in own["seconds"])
        print(f"{name}: {told} {own['differs'] or ''} {own['failed'] or ''}", flush=True)
    return results


def shown(own: dict, engine: str) -> str:
    """Milliseconds, and those of the processor."""
    if engine in own["slow"]:
        return f"> {own['seconds'][engine] * 1000:,.0f}"
    cpu = own["cpu"].get(engine, math.nan)
    return f"{own['seconds'][engine] * 1000:,.1f}" + ("" if math.isnan(cpu) else f" ({cpu * 1000:,.0f})")


def mean_ratio(results: list, engine: str, of: str = "seconds") -> float:
    """How often tieout's time fits into that of `engine`, over all questions that both answered."""
    # Processor time is counted in hundredths of a second.
    least = 0.005 if of == "cpu" else 0
    pairs = [own[of] for own in results if {engine, "tieout"} <= own[of].keys()]
    ratios = [max(pair[engine], least) / max(pair["tieout"], least) for pair in pairs]
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else math.nan


def table(results: list, engines: list) -> list:
    others = [engine.name for engine in engines[1:]]
    lines = [f"| | rows | tieout | {' | '.join(f'{name} | times' for name in others)} |", "|---|" + "---:|" * (2 + 2 * len(others))]
    for own in results:
        cells = [own["name"] + (" †" if own["totals"] else ""), f"{own['rows']:,}", shown(own, "tieout") if "tieout" in own["seconds"] else "failed"]
        for name in others:
            if {name, "tieout"} <= own["seconds"].keys():
                more = "> " if name in own["slow"] else ""
                cells += [shown(own, name), f"{more}{own['seconds'][name] / own['seconds']['tieout']:.2f}"]
            else:
                cells += ["failed" if name in own["failed"] else "not asked", ""]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append(f"| **geometric mean** | | | {' | '.join(means(results, others))} |")
    by_rows = [own for own in results if not own["totals"]]
    if len(by_rows) < len(results):
        lines.append(f"| **of those without †** | | | {' | '.join(means(by_rows, others))} |")
    return [*lines, ""]


def means(results: list, others: list) -> list:
    """Cells with the geometric mean of each engine's ratios."""
    cells = []
    for name in others:
        cpu = mean_ratio(results, name, "cpu")
        more = "at least " if any(name in own["slow"] for own in results) else ""
        cells += ["" if math.isnan(cpu) else f"processor time {cpu:.2f}", f"{more}{mean_ratio(results, name):.2f}"]
    return cells


def made(options) -> dict:
    """The ledger, made anew unless the one of before is what would come out, or is to be taken as it is."""
    ledger, told, program = options.work / "ledger", options.work / "told.json", RELEASE / "examples" / "history"
    if options.as_is and not told.is_file():
        raise SystemExit(f"{told} is not there; make the history with --make")
    is_there = options.as_is or (
        told.is_file() and told.stat().st_mtime > program.stat().st_mtime and json.loads(told.read_text())["asked"] == options.rows
    )
    if not is_there:
        shutil.rmtree(ledger, ignore_errors=True)
        told.unlink(missing_ok=True)
        began = time.perf_counter()
        done = subprocess.run([program, ledger, "--transactions", str(options.rows)], check=True, stdout=subprocess.PIPE, text=True)
        about = {"asked": options.rows, "seconds": round(time.perf_counter() - began, 1)}
        told.write_text(json.dumps(json.loads(done.stdout) | about))
    return json.loads(told.read_text()) | {"bytes": sum(path.stat().st_size for path in ledger.rglob("*.parquet"))}


def codes_in(server: Tieout) -> dict:
    sql = "select distinct type_code, bai_type(type_code), iso_code(type_code) from transactions where type_code is not null order by 1"
    return {code: {"bai": bai, "iso": iso} for code, bai, iso in server.connection.execute(sql).fetchall()}


def with_postgres(options, duck: DuckDb, codes: dict, payment: str) -> tuple:
    """PostgreSQL and what the page says of it, or why it is not there."""
    if options.no_postgres or not options.postgres.is_dir():
        return None, "PostgreSQL is not there"
    kept = options.postgres_data
    if not (kept and (kept / "loaded.json").is_file()):
        needed, free = POSTGRES_BYTES * options.rows, shutil.disk_usage(kept.parent if kept else "/var/tmp").free
        if needed > free:
            return None, f"PostgreSQL was left out: it would need about {needed >> 30} GB of disk, and {free >> 30} are free"
    engine = Postgres(options.postgres, duck, options.work / "ledger", codes, payment, kept)
    return engine, f"PostgreSQL: {engine.bytes() / 2**30:.1f} GiB with indexes, loaded in {engine.load_seconds} s"


def asks_of(options) -> tuple:
    """tieout and DuckDB over the history, with what the questions need to know of it."""
    ledger = options.work / "ledger"
    server = Tieout(ledger, TIEOUT_SECONDS)
    try:
        sql = "select min(payment_id) from exceptions where reason = 'ambiguous_items' and candidates like '%|%'"
        payment = server.connection.execute(sql).fetchone()[0]
        codes = codes_in(server)
        return [server, DuckDb(ledger, codes, payment)], codes, payment
    except BaseException:
        server.close()
        raise


def asked(options) -> tuple:
    """The engines, the results, and what the page says of how it went."""
    engines, codes, payment = asks_of(options)
    try:
        engine, told = with_postgres(options, engines[1], codes, payment)
        print(told, flush=True)
        if engine:
            engines.append(engine)
        if options.make:
            return engines, [], []
        began = time.perf_counter()
        results = ask_all(options, engines, payment)
        return engines, results, [told, f"the questions took {(time.perf_counter() - began) / 60:.1f} minutes"]
    finally:
        for engine in engines:
            engine.close()


def inside(options) -> int:
    import wire

    began, load = time.perf_counter(), os.getloadavg()
    about = made(options)
    options.rows = about["asked"]
    print(f"{about['transactions']:,} bank lines made in {about['seconds']} s", flush=True)
    if options.make and not options.postgres_data:
        return 0
    engines, results, told = asked(options)
    if options.make:
        return 0
    lines = [
        "# SQL over years of history", "", f"Made by `{page_command()}`.", "", *machine(),
        f"- load of the machine when it began: {load[0]:.1f} (1 minute), {load[1]:.1f} (5 minutes)",
        *([f"- {options.note}"] if options.note else []),
        f"- {about['transactions']:,} bank lines, {about['payments']:,} payments and {about['items']:,} items of four years, "
        f"{about['bytes'] / 2**30:.2f} GiB of Parquet, made in {about['seconds']} s", *(f"- {line}" for line in told), "",
        "Milliseconds until the last row was there as CSV, and in parentheses those of the processor; medians of up to "
        f"{options.rounds} rounds in which the engines took turns, after one that warms (of fewer where they are long). `times` is "
        f"how often tieout's time fits into it. What takes more than {TIMES_OF_TIEOUT} times tieout's time and {LEAST_PATIENCE} s, or "
        f"{options.patience} s, is given up, and counts with that. tieout and DuckDB may use {MEMORY_GB} GB each. Every answer that came "
        "was compared. What has a † was answered by tieout from the totals that its ledger keeps with each month's rows (ARCHITECTURE.md, "
        "Joining), which the others do not have: they read the rows.", "", *table(results, engines),
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
