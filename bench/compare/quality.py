#!/usr/bin/env python3
"""Whether tieout is right: mornings of two mixes and several seeds and sizes, each scored against its truth.

Nothing is timed, so that a busy machine gives the same figures. Writes bench/QUALITY.md.

    cargo build --release -p tieout-cli -p tieout-bench
    python3 bench/compare/quality.py
"""

import argparse
import pathlib
import shutil
import subprocess

from measuring import HERE, RELEASE, ROOT, machine, page_command
from run import finished, one_in, percent, score

# Mix, payments, items, seeds.
MORNINGS = [
    ("usual", 1_000_000, 2_000_000, [1, 7, 11]),
    ("wide", 1_000_000, 2_000_000, [1, 7, 11]),
    ("usual", 100_000, 10_000_000, [1, 7]),
    ("wide", 100_000, 10_000_000, [7]),
]
HEAD = ["mix", "payments x items", "seed", "decidable applied", "exactly", "their value", "applied wrongly",
        "undecidable applied", "duplicates found", "twins held", "right answer first", "listed",
        "reliability error, decidable", "of all", "broken invariants"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--divide", type=int, default=1, help="take so many times fewer payments and items, for a trial")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "quality")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "QUALITY.md")
    return parser.parse_args()


class Morning:
    """A generated morning, removed when it is done with."""

    def __init__(self, work: pathlib.Path, mix: str, payments: int, items: int, seed: int) -> None:
        self.mix, self.payments, self.items, self.seed = mix, payments, items, seed
        base = work / "morning"
        shutil.rmtree(base, ignore_errors=True)
        self.files, self.truth, self.out = base / "files", base / "truth.csv", base / "out"
        words = [RELEASE / "tieout-bench", "generate", "--payments", payments, "--items", items, "--seed", seed,
                 "--mix", mix, "--out", self.files]
        subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)
        (self.files / "truth.csv").replace(self.truth)

    def run(self, cores: str = "") -> dict:
        shutil.rmtree(self.out, ignore_errors=True)
        words = ["taskset", "-c", cores] if cores else []
        words += [RELEASE / "tieout", "run", self.files, "--out", self.out]
        return finished(words, self.files.parent / "log")


def quality(morning: Morning) -> str:
    morning.run()
    result = score(morning, morning.out)
    rates = result["rates"]
    undecidable, first = rates["undecidable_applied"], rates["exceptions_truth_first"]
    columns = [morning.mix, f"{morning.payments:,} x {morning.items:,}", str(morning.seed),
               percent(rates["decidable_applied"]), percent(rates["decidable_applied_exactly"]),
               percent(rates["value_applied_exactly"]), one_in(result),
               f"{undecidable['part']} of {undecidable['whole']:,}", percent(rates["duplicates_found"]),
               str(rates["twins_held"]["part"]), f"{percent(first)} of {first['whole']:,}",
               percent(rates["exceptions_truth_listed"]), f"{100 * result['calibration_error_decidable']:.3f}%",
               f"{100 * result['calibration_error']:.2f}%", str(sum(result["breaches"].values()))]
    line = "| " + " | ".join(columns) + " |"
    print(line, flush=True)
    return line


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    told = page_command()
    table = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for mix, payments, items, seeds in MORNINGS:
        for seed in seeds:
            table.append(quality(Morning(options.work, mix, payments // options.divide, items // options.divide, seed)))
    shutil.rmtree(options.work / "morning", ignore_errors=True)
    lines = ["# Right on which mornings", "", "Written by the command below; no figure is entered by hand. What the rates mean",
             "is in [README.md](README.md).", "", "    cargo build --release -p tieout-cli -p tieout-bench",
             f"    {told}", "", *machine(), "", "\"Right answer first\" is of the decidable payments that wait for a person; \"reliability error\" is",
             "the distance of the probability claimed and the share that was right, weighted by the answers.", "", *table, ""]
    options.results.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
