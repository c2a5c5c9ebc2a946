#!/usr/bin/env python3
"""Payers' names to customers: tieout's name index beside rapidfuzz.process.cdist.

Both get the distinct names of the payers of a generated morning and the names and aliases of its
customers, in capitals without punctuation, and say for each payer which customer's name is most
alike. rapidfuzz compares all pairs (token_sort_ratio, in blocks of payers, answers by argmax);
tieout's index compares the few that share rare letters. An answer is right if it is the customer
that the morning's truth names. The all-pairs speed of tieout's own comparison stands beside it.

    cargo build --release -p tieout-bench --bins --example names
    python3 bench/compare/names.py
"""

import argparse
import csv
import json
import pathlib
import re
import statistics
import subprocess
import sys

from measuring import HERE, RELEASE, ROOT, environment, machine

PACKAGES = ["rapidfuzz==3.14.6", "numpy==2.4.6"]
PEER = """
import json, sys, time
import numpy
from rapidfuzz import process, fuzz
payers, customers = (open(path).read().splitlines() for path in sys.argv[1:3])
block, threads = 1000, int(sys.argv[4])
began, began_cpu = time.perf_counter(), time.process_time()
answers = []
for start in range(0, len(payers), block):
    ratios = process.cdist(payers[start:start + block], customers, scorer=fuzz.token_sort_ratio, workers=threads,
                           dtype=numpy.float32)
    answers += zip(ratios.argmax(axis=1).tolist(), ratios.max(axis=1).tolist())
seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
with open(sys.argv[3], "w") as out:
    out.writelines(f"{place},{ratio / 100:.4f}\\n" for place, ratio in answers)
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds}))
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--payers", type=int, default=20_000, help="distinct names that both look up")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "names")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "NAMES.md")
    return parser.parse_args()


def plain(name: str) -> str:
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", name.upper().replace("'", "").replace(".", "")).split())


class Job:
    """The names of a morning, and whose each payer's is."""

    def __init__(self, options: argparse.Namespace) -> None:
        morning, bank = options.work / "morning", options.work / "peer"
        words = [RELEASE / "tieout-bench", "generate", "--payments", options.payments, "--seed", 1]
        words += ["--out", morning, "--peer", bank]
        subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)
        self.customers, self.owners, parents = [], [], {}
        for row in csv.DictReader(open(morning / "parties.csv")):
            parents[row["party_id"]] = row["parent_id"] or row["party_id"]
            for name in [row["name"], *filter(None, row["aliases"].split("|"))]:
                self.customers.append(plain(name))
                self.owners.append(row["party_id"])
        self.parents = parents
        truth = {}
        for row in csv.DictReader(open(morning / "truth.csv")):
            if row["scenario"] not in ("third_party", "garbage_unknown", "shared_amount"):
                truth[row["truth_file"], row["truth_line"]] = row["party_id"]
        seen = {}
        for row in csv.DictReader(open(bank / "payments.csv")):
            party = truth.get((row["file"], row["line"]))
            name = plain(row["payer_name"])
            if party and name:
                seen.setdefault(name, set()).add(party)
        sure = [(name, next(iter(parties))) for name, parties in seen.items() if len(parties) == 1]
        sure = sure[: options.payers]
        self.payers, self.truth = [name for name, _ in sure], [party for _, party in sure]
        self.files = [options.work / "payers.txt", options.work / "customers.txt"]
        for path, names in zip(self.files, (self.payers, self.customers)):
            path.write_text("\n".join(names) + "\n")

    def right(self, answers: pathlib.Path) -> int:
        found = answers.read_text().splitlines()
        return sum(bool(answer) and self.owners[int(answer.split(",")[0])] == party
                   for answer, party in zip(found, self.truth))


def told(words: list) -> dict:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    python = environment(options.work / "venv", PACKAGES)
    job = Job(options)
    ours, theirs, answers = [], [], [options.work / "tieout.csv", options.work / "rapidfuzz.csv"]
    for _ in range(options.rounds):
        ours.append(told([RELEASE / "examples" / "names", *job.files, answers[0], options.threads]))
        theirs.append(told([python, "-c", PEER, *job.files, answers[1], options.threads]))
    pairs = len(job.payers) * len(job.customers)
    median, peer = ({key: statistics.median(run[key] for run in runs) for key in runs[0]} for runs in (ours, theirs))
    row = "| {} | {:.3f} | {:.3f} | {:,.1f} | {:,} of {:,} | {:.1f} |".format
    count, cpu = len(job.payers), median["cpu_seconds"]
    lines = ["# Payers' names to customers, beside rapidfuzz", "",
             "Written by the command below; no figure is entered by hand. Ratios are of CPU seconds, which other work on the",
             "machine changes least.", "",
             "    cargo build --release -p tieout-bench --bins --example names", "    python3 bench/compare/names.py", "",
             *machine(), f"- {', '.join(PACKAGES)} from PyPI, {options.threads} threads; medians of {options.rounds} rounds, "
             "the engines in turn", "",
             f"{count:,} distinct names of payers against {len(job.customers):,} names of customers: {pairs / 1e6:,.0f} million "
             "pairs.", "",
             "| | seconds | CPU seconds | million pairs a CPU second, compared or made unnecessary | right customer | CPU ÷ tieout |",
             "|---|---|---|---|---|---|",
             row("tieout, index made and all payers looked up", median["seconds"], cpu, pairs / cpu / 1e6,
                 job.right(answers[0]), count, 1),
             row("rapidfuzz `cdist`, token_sort_ratio", peer["seconds"], peer["cpu_seconds"],
                 pairs / peer["cpu_seconds"] / 1e6, job.right(answers[1]), count, peer["cpu_seconds"] / cpu), "",
             f"Without its index tieout compares {median['pairs_per_cpu_second'] / 1e6:.1f} million pairs a CPU second.", ""]
    options.results.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
