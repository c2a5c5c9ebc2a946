#!/usr/bin/env python3
"""How the cost of a run grows with items and falls with cores.

One run is repeated on one core and on two, in turn; then the matcher alone decides the same number of
payments among a million and among ten million items, in turn. Writes bench/SCALE.md.

    cargo build --release -p tieout-cli -p tieout-bench --bins --example decide
    python3 bench/compare/scale.py
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess

from measuring import HERE, RELEASE, ROOT, machine, page_command
from quality import Morning


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--divide", type=int, default=1, help="take so many times fewer payments and items, for a trial")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "scale")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "SCALE.md")
    return parser.parse_args()


def median(runs: list, key: str) -> float:
    return statistics.median(run[key] for run in runs)


def cores(morning: Morning, rounds: int) -> list:
    """One core, and two: walls and CPU in turn."""
    both = sorted(os.sched_getaffinity(0))[:2]
    settings = {1: str(both[0]), 2: ",".join(map(str, both))}
    runs = {1: [], 2: []}
    for number in range(rounds):
        for count in [1, 2] if number % 2 else [2, 1]:
            runs[count].append(morning.run(settings[count]))
            print(f"{count} cores: {runs[count][-1]}", flush=True)
    lines = ["| cores | wall, s (least-most) | CPU, s |", "|---|---|---|"]
    for count, own in runs.items():
        walls = [run["wall"] for run in own]
        lines.append(f"| {count} | {median(own, 'wall'):.2f} ({min(walls):.2f}-{max(walls):.2f}) | {median(own, 'cpu'):.2f} |")
    ratio = median(runs[1], "wall") / median(runs[2], "wall")
    return [*lines, "", f"Two cores are {ratio:.2f} times as fast as one (goal: 1.8)."]


def decided(files: pathlib.Path) -> dict:
    words = [RELEASE / "examples" / "decide", files, "2"]
    done = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    stages = [told["references"], told["amounts"]]
    return {"microseconds": 1e6 * sum(stage["cpu_seconds"] for stage in stages) / told["payments"],
            "wall": 1e6 * sum(stage["seconds"] for stage in stages) / told["payments"],
            "load": told["load_items"]["cpu_nanoseconds_each"] + told["build_indexes"]["cpu_nanoseconds_each"],
            "bytes": told["index_bytes_per_item"]}


def growth(options: argparse.Namespace) -> list:
    """What a payment costs among a million items and among ten million, in turn."""
    sizes = [1_000_000 // options.divide, 10_000_000 // options.divide]
    mornings = {items: Morning(options.work / f"{items}", "usual", 100_000 // options.divide, items, 1) for items in sizes}
    runs = {items: [] for items in sizes}
    for number in range(options.rounds):
        for items in sizes if number % 2 else reversed(sizes):
            runs[items].append(decided(mornings[items].files))
            print(f"{items} items: {runs[items][-1]}", flush=True)
    lines = ["| open items | a payment, CPU µs (least-most) | a payment, µs | an item, CPU ns | index bytes an item |", "|---|---|---|---|---|"]
    for items, own in runs.items():
        cpu = [run["microseconds"] for run in own]
        lines.append(f"| {items:,} | {median(own, 'microseconds'):.2f} ({min(cpu):.2f}-{max(cpu):.2f}) | {median(own, 'wall'):.2f} "
                     f"| {median(own, 'load'):.0f} | {median(own, 'bytes'):.1f} |")
    few, many = (median(runs[items], "microseconds") for items in sizes)
    few_wall, many_wall = (median(runs[items], "wall") for items in sizes)
    for items in sizes:
        shutil.rmtree(options.work / f"{items}", ignore_errors=True)
    return [*lines, "", f"Among ten times as many items a payment costs {many / few:.2f} times the CPU and {many_wall / few_wall:.2f} "
            "times the time (goal: 1.5)."]


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    told = page_command()
    about = [*machine(), f"- load before the first run {os.getloadavg()[0]:.2f}"]
    million = 1_000_000 // options.divide
    by_cores = cores(Morning(options.work, "usual", million, 2 * million, 1), options.rounds)
    shutil.rmtree(options.work / "morning", ignore_errors=True)
    lines = ["# What items cost and cores give", "", "Written by the command below; no figure is entered by hand. What the rates mean",
             "is in [README.md](README.md).", "",
             "    cargo build --release -p tieout-cli -p tieout-bench --bins --example decide", f"    {told}", "", *about, "",
             f"## Cores: {million:,} payments, one run after the other", "", *by_cores, "",
             f"## Items: {100_000 // options.divide:,} payments, the matcher alone, on two threads", "", *growth(options), ""]
    options.results.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
