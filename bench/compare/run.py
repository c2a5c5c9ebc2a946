#!/usr/bin/env python3
"""tieout and DuckDB on the same mornings, one after the other.

Makes its own virtual environment, generates the mornings, runs every engine in turn for
several rounds, scores what each wrote, and writes bench/RESULTS.md. Needs python3 with
venv, and the release binaries:

    cargo build --release -p tieout-cli -p tieout-bench
    python3 bench/compare/run.py
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

from measuring import HERE, RELEASE, ROOT, environment, machine, measure, page_command

DUCKDB = "2.0.1"
ENGINES = {
    "tieout": "tieout, from the raw bank files, the tables that DuckDB writes",
    "tieout-all": "tieout, from the raw bank files, all tables",
    "duckdb-quick": "DuckDB, `quick.sql`, from ready-made CSV",
    "duckdb-thorough": "DuckDB, `thorough.sql`, from ready-made CSV",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2, help="of DuckDB; tieout takes what the machine has")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "compare", help="folder for data and outputs")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "RESULTS.md")
    return parser.parse_args()


class Morning:
    """One generated morning: the books and bank files, the peer's CSV, the truth apart."""

    def __init__(self, work: pathlib.Path, payments: int, seed: int) -> None:
        base = work / f"{payments}-{seed}"
        self.payments, self.files, self.bank, self.truth = payments, base / "morning", base / "peer", base / "truth.csv"
        self.outputs = base / "out"
        command = [RELEASE / "tieout-bench", "generate", "--payments", payments, "--seed", seed]
        command += ["--out", self.files, "--peer", self.bank]
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        (self.files / "truth.csv").replace(self.truth)

    def megabytes(self) -> float:
        return sum(file.stat().st_size for file in self.files.iterdir()) / 1e6


def command(engine: str, morning: Morning, out: pathlib.Path, python: pathlib.Path, threads: int) -> list:
    if engine.startswith("tieout"):
        tables = [] if engine == "tieout-all" else ["--tables", "payments,applications"]
        return [RELEASE / "tieout", "run", morning.files, "--out", out, *tables]
    sql = HERE / f"{engine.removeprefix('duckdb-')}.sql"
    return [python, HERE / "peer.py", sql, morning.files, morning.bank, out, threads]


def finished(words: list, log: pathlib.Path) -> dict:
    """What a run of an engine took."""
    with log.open("w") as output:
        run = measure(words, output)
    # 3 says that something is quarantined or out of balance: a result, not a failure.
    if run.pop("code") not in (0, 3):
        sys.exit(f"{words[0]} failed:\n{log.read_text()[-2000:]}")
    return run


def score(morning: Morning, out: pathlib.Path) -> dict:
    words = [RELEASE / "tieout-bench", "score", "--out", out, "--truth", morning.truth]
    words += ["--items", morning.files / "open_items.csv", "--json"]
    done = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def in_turn(engines: list, number: int) -> list:
    """The order of round `number`. Whoever comes after an engine that took and wrote much pays for that; in as
    many rounds as there are engines each comes after each other about as often (a Williams design)."""
    count = len(engines)
    zigzag = [(place + 1) // 2 if place % 2 else -(place // 2) for place in range(count)]
    return [engines[(number + step) % count] for step in zigzag]


def compare(morning: Morning, options: argparse.Namespace, python: pathlib.Path) -> dict:
    runs = {engine: [] for engine in options.engines}
    for number in range(options.rounds):
        for engine in in_turn(options.engines, number):
            out = morning.outputs / engine
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            words = command(engine, morning, out, python, options.threads)
            run = finished(words, morning.outputs / f"{engine}.log")
            runs[engine].append(run)
            print(f"{morning.payments:>9} round {number + 1} {engine:16} {run['wall']:7.2f} s wall "
                  f"{run['cpu']:7.2f} s CPU {run['memory']:7.0f} MB", flush=True)
    rows = {}
    for engine in options.engines:
        rows[engine] = {key: statistics.median(run[key] for run in runs[engine]) for key in runs[engine][0]}
        rows[engine]["spread"] = [min(run["wall"] for run in runs[engine]), max(run["wall"] for run in runs[engine])]
        rows[engine]["score"] = score(morning, morning.outputs / engine)
    return rows


def percent(share: dict) -> str:
    return f"{100 * share['part'] / share['whole']:.2f}%" if share["whole"] else "-"


def one_in(result: dict) -> str:
    return "none" if result["applied_per_wrong"] is None else f"1 in {result['applied_per_wrong']:,}"


def speed_table(morning: Morning, rows: dict) -> list:
    lines = ["| engine | wall, s (least-most) | payments/s | CPU, s | peak memory, MB | wall ÷ tieout | memory ÷ tieout |",
             "|---|---|---|---|---|---|---|"]
    base = rows.get("tieout")
    for engine, row in rows.items():
        ratios = ["-", "-"] if base is None else [f"{row[key] / base[key]:.2f}" for key in ("wall", "memory")]
        lines.append(f"| {ENGINES[engine]} | {row['wall']:.2f} ({row['spread'][0]:.2f}-{row['spread'][1]:.2f}) "
                     f"| {morning.payments / row['wall']:,.0f} | {row['cpu']:.2f} | {row['memory']:,.0f} "
                     f"| {ratios[0]} | {ratios[1]} |")
    return lines


def score_table(rows: dict) -> list:
    lines = ["| engine | decidable applied | applied exactly | lines | value | applied wrongly | undecidable applied "
             "| customer | duplicates found | twins held | on account right |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for engine, row in rows.items():
        rates = row["score"]["rates"]
        undecidable = rates["undecidable_applied"]
        columns = [percent(rates["decidable_applied"]), percent(rates["decidable_applied_exactly"]),
                   percent(rates["lines_applied_exactly"]), percent(rates["value_applied_exactly"]), one_in(row["score"]),
                   f"{undecidable['part']} of {undecidable['whole']:,}", percent(rates["customer_identified"]),
                   percent(rates["duplicates_found"]), str(rates["twins_held"]["part"]), percent(rates["on_account_right"])]
        lines.append(f"| {ENGINES[engine]} | " + " | ".join(columns) + " |")
    return lines


def breach_lines(rows: dict) -> list:
    lines = []
    for engine, row in rows.items():
        broken = {name: count for name, count in row["score"]["breaches"].items() if count}
        lines.append(f"- {ENGINES[engine]}: " + (", ".join(f"{name} {count}" for name, count in broken.items()) or "none"))
    return lines


def facts(options: argparse.Namespace) -> list:
    return [
        *machine(),
        f"- DuckDB {DUCKDB} from PyPI, Python {platform.python_version()}, {options.threads} threads",
        f"- medians of {options.rounds} rounds, in another order each; load before the first round "
        f"{os.getloadavg()[0]:.2f}",
    ]


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    python = environment(options.work / "venv", [f"duckdb=={DUCKDB}"])
    about = facts(options)
    told = page_command()
    lines = ["# tieout beside DuckDB", "", "Written by the command below; no figure is entered by hand. What the rates",
             "mean is in [README.md](README.md); what each engine does is in [compare/](compare/). On a",
             "machine that does other work too, CPU seconds and ratios say more than wall seconds.", "",
             "    cargo build --release -p tieout-cli -p tieout-bench", f"    {told}", "", *about, ""]
    for payments in options.payments:
        morning = Morning(options.work, payments, options.seed)
        size = morning.megabytes()
        rows = compare(morning, options, python)
        lines += [f"## {payments:,} payments against {2 * payments:,} open items ({size:,.0f} MB)", "",
                  *speed_table(morning, rows), "", *score_table(rows), "",
                  "Broken invariants (balance, over-application, missing or doubled payments):", "", *breach_lines(rows), ""]
    options.results.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
