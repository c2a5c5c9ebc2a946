#!/usr/bin/env python3
"""tieout and Splink 4 on DuckDB on the same mornings: payments to customers, and the whole job.

Splink gets the peer's CSV with references already taken out of the bank's formats; tieout reads the
bank's files and ends with written decisions. What Splink does is in splink_peer.py. The customers that
Splink finds stand beside those in tieout's payments.csv; both whole jobs are scored by tieout-bench.

    cargo build --release -p tieout-cli -p tieout-bench
    python3 bench/compare/splink.py
"""

import argparse
import csv
import pathlib
import shutil
import statistics

from measuring import HERE, RELEASE, ROOT, environment, machine
from run import Morning, finished, one_in, percent, score

PACKAGES = ["splink==4.0.17", "duckdb==2.0.1", "pandas==2.3.3"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "splink")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "SPLINK.md")
    return parser.parse_args()


def named_right(morning: Morning, found: dict) -> tuple:
    """Payments whose payer the truth knows, and those of them for which it, or an item's owner, was found."""
    right, known = set(), {}
    for row in csv.DictReader(open(morning.truth)):
        if row["party_id"] and row["status"] not in ("out_of_scope", "duplicate"):
            parties = known.setdefault((row["truth_file"], row["truth_line"]), set())
            parties |= {row["party_id"], row["item_party_id"]} - {""}
    for key, parties in known.items():
        if found.get(key) in parties:
            right.add(key)
    return len(right), len(known)


def customers_of(path: pathlib.Path, file: str, line: str) -> dict:
    return {(row[file].rsplit("/", 1)[-1], row[line]): row["party_id"] for row in csv.DictReader(open(path))}


def compare(morning: Morning, options: argparse.Namespace, python: pathlib.Path) -> list:
    engines = {
        "tieout": lambda out: [RELEASE / "tieout", "run", morning.files, "--out", out, "--threads", options.threads],
        "splink-customers": lambda out: [python, "-P", HERE / "splink_peer.py", "customers", morning.files, morning.bank, out, options.threads],
        "splink-job": lambda out: [python, "-P", HERE / "splink_peer.py", "job", morning.files, morning.bank, out, options.threads],
    }
    runs = {engine: [] for engine in engines}
    for _ in range(options.rounds):
        for engine, words in engines.items():
            out = morning.outputs / engine
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            runs[engine].append(finished(words(out), morning.outputs / f"{engine}.log"))
            print(f"{morning.payments:>9} {engine:18} {runs[engine][-1]['wall']:8.2f} s wall {runs[engine][-1]['cpu']:8.2f} s CPU", flush=True)
    took = {engine: {key: statistics.median(run[key] for run in of) for key in of[0]} for engine, of in runs.items()}
    base = took["tieout"]
    shown = {"tieout": "tieout, the whole job from the raw bank files", "splink-customers": "Splink, payments to customers only",
             "splink-job": "Splink, the whole job from ready-made CSV"}
    lines = ["| | wall, s | CPU, s | peak memory, MB | wall ÷ tieout | CPU ÷ tieout |", "|---|---|---|---|---|---|"]
    for engine, row in took.items():
        lines.append(f"| {shown[engine]} | {row['wall']:.2f} | {row['cpu']:.2f} | {row['memory']:,.0f} "
                     f"| {row['wall'] / base['wall']:.1f} | {row['cpu'] / base['cpu']:.1f} |")
    found = {"tieout": customers_of(morning.outputs / "tieout" / "payments.csv", "source_file", "source_line"),
             "splink-customers": customers_of(morning.outputs / "splink-customers" / "customers.csv", "file", "line")}
    lines += ["", "| payments to customers | customer right |", "|---|---|"]
    for engine, answer in found.items():
        right, known = named_right(morning, answer)
        lines.append(f"| {engine.split('-')[0]} | {right:,} of {known:,} ({100 * right / known:.2f}%) |")
    lines += ["", "| the whole job | decidable applied | applied exactly | applied wrongly | undecidable applied | duplicates found |",
              "|---|---|---|---|---|---|"]
    for engine in ("tieout", "splink-job"):
        result = score(morning, morning.outputs / engine)
        rates = result["rates"]
        lines.append(f"| {engine.split('-')[0]} | {percent(rates['decidable_applied'])} | {percent(rates['decidable_applied_exactly'])} "
                     f"| {one_in(result)} | {rates['undecidable_applied']['part']} of {rates['undecidable_applied']['whole']:,} "
                     f"| {percent(rates['duplicates_found'])} |")
    return lines


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    python = environment(options.work / "venv", PACKAGES)
    lines = ["# tieout beside Splink", "", "Written by the command below; no figure is entered by hand. On a machine that does other",
             "work too, CPU seconds and ratios say more than wall seconds.", "",
             "    cargo build --release -p tieout-cli -p tieout-bench", "    python3 bench/compare/splink.py", "", *machine(),
             f"- {', '.join(PACKAGES)} from PyPI, {options.threads} threads each; medians of {options.rounds} rounds, the engines in turn", ""]
    for payments in options.payments:
        morning = Morning(options.work, payments, 1)
        lines += [f"## {payments:,} payments against {2 * payments:,} open items", "", *compare(morning, options, python), ""]
    options.results.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
