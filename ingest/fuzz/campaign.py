#!/usr/bin/env python3
"""Fuzzes the readers for a set time each, and keeps a record of it.

    cargo install cargo-fuzz && rustup toolchain install nightly
    python3 ingest/fuzz/campaign.py run bai2 lockbox      # or no name, for every program
    python3 ingest/fuzz/campaign.py save bai2 lockbox     # after a run

`run` builds the programs and gives each half its time with the files of this repository as seeds,
then half with the real files beside them that TIEOUT_SAMPLES names (without those, all of its
time with the first). A program that crashes is started again with what time it has left.
It adds a line for each program to RECORD.md.

`save` keeps the inputs that reach most beyond the files of this repository, few and small, in
saved/PROGRAM; a test reads them. It takes them from the first half only: what grew beside real
files may hold pieces of them. Files there with a name of their own, such as inputs that once
crashed, are left alone.
"""

import argparse
import concurrent.futures
import dataclasses
import datetime
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SEEDS = ROOT / "datasets" / "formats"
SAMPLES = ROOT / os.environ.get("TIEOUT_SAMPLES", "../shared/samples")
SAVED = HERE / "saved"
RECORD = HERE / "RECORD.md"

INPUT_BYTES_MAX = 4096
SECONDS_MAX_OF_AN_INPUT = 10
MEGABYTES_MAX = 1024
# A reader that fails so often has to be mended first.
CRASHES_MAX = 10
SAVED_INPUTS_MAX = 40
SAVED_BYTES_MAX = 60_000

# Files of this repository that are of a format and not in its folder of datasets/formats.
BESIDE = {
    "lockbox": "ingest/tests/data/*.lockbox",
    "lockbox_layout": "ingest/layouts/*.toml",
    "open_items_csv": "datasets/distributor/open_items.csv",
    "parties_csv": "datasets/distributor/parties.csv",
    "remittances_csv": "datasets/distributor/remittances.csv",
    "truth": "datasets/distributor/truth.csv",
}
# Folders of real files, where they are not called as the format is.
REAL = {
    "adyen": ["csv-adyen", "json-processor/*/Adyen"],
    "bank_csv": ["csv-bank"],
    "braintree": ["json-processor/*/Braintree"],
    "camt_029": ["iso-other"],
    "camt_056": ["iso-other"],
    "chariot": ["csv-processor-other/*/Tests"],
    "checkout_com": ["csv-processor-other/*/CheckoutCom"],
    "dlocal": ["csv-processor-other/*/dlocal"],
    "gravy": ["csv-processor-other/*/Gravy"],
    "iso20022": ["iso-other"],
    "mt": ["mt940", "mt9xx"],
    "mt_transfers": ["mt10x"],
    "pacs_002": ["pacs"],
    "pacs_004": ["pacs"],
    "pacs_008": ["pacs"],
    "pacs_009": ["pacs"],
    "paypal": ["csv-paypal"],
    "remt_001": ["iso-other"],
    "stripe": ["csv-stripe", "json-stripe"],
    "trustly": ["csv-processor-other/*/Trustly"],
    "x12": ["x12-*"],
}

HEADING = """# Record of fuzzing

Written by `campaign.py`; see there for what a run is. Coverage is counted in edges of the
program, the corpus in inputs that each reach something new.

| program | day | commit | seconds | executions | corpus | coverage | crashes |
|---|---|---|--:|--:|--:|--:|--:|
"""


@dataclasses.dataclass
class Outcome:
    """What became of a program's time."""

    seconds: int = 0
    executions: int = 0
    corpus: int = 0
    coverage: int = 0
    crashes: int = 0


def programs() -> list[str]:
    manifest = tomllib.loads((HERE / "Cargo.toml").read_text())
    return [program["name"] for program in manifest["bin"]]


def build(names: list[str]) -> None:
    for name in names:
        # No code of the readers is unsafe, so that the time is better spent without a sanitizer.
        command = ["cargo", "+nightly", "fuzz", "build", "--sanitizer", "none", name]
        subprocess.run(command, cwd=HERE.parent, check=True)


def binary(name: str) -> pathlib.Path:
    said = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    host = re.search(r"^host: (.+)$", said, re.MULTILINE)[1]
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
    return target / host / "release" / name


def seeds(name: str, work: pathlib.Path) -> list[pathlib.Path]:
    """The files of this repository that a program begins with, as a folder, if there are any."""
    folders = [folder for folder in SEEDS.iterdir() if folder.name.replace(".", "_") == name]
    files = [file for folder in folders for file in folder.iterdir() if file.suffix != ".golden"]
    files += ROOT.glob(BESIDE[name]) if name in BESIDE else []
    for file in files:
        shutil.copyfile(file, under(work, "seeds", name) / file.name)
    return [under(work, "seeds", name)] if files else []


def real_folders(name: str) -> list[pathlib.Path]:
    patterns = REAL.get(name, [name, name.replace("_", ".")])
    return sorted({folder for pattern in patterns for folder in SAMPLES.glob(pattern)})


def under(folder: pathlib.Path, *names: str) -> pathlib.Path:
    folder = folder.joinpath(*names)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fuzz(name: str, seconds: int, work: pathlib.Path, kind: str, given: list[pathlib.Path]) -> Outcome:
    """Runs a program for `seconds`, anew after each crash."""
    corpus, artifacts = under(work, kind, name), under(work, "artifacts", name)
    outcome = Outcome()
    begin = time.monotonic()
    while outcome.seconds < seconds and outcome.crashes < CRASHES_MAX:
        command = [
            binary(name),
            corpus,
            *given,
            f"-max_total_time={seconds - outcome.seconds}",
            f"-max_len={INPUT_BYTES_MAX}",
            f"-timeout={SECONDS_MAX_OF_AN_INPUT}",
            f"-rss_limit_mb={MEGABYTES_MAX}",
            f"-artifact_prefix={artifacts}/",
            "-print_final_stats=1",
        ]
        with open(work / f"{name}.{kind}.log", "a+b") as log:
            start = log.tell()
            status = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
            log.seek(start)
            said = log.read().decode(errors="replace")
        executed = re.findall(r"stat::number_of_executed_units: (\d+)", said)
        outcome.executions += int(executed[-1]) if executed else 0
        reached = [int(count) for count in re.findall(r"\bcov: (\d+)", said)]
        outcome.coverage = max([outcome.coverage, *reached])
        outcome.crashes += status != 0
        outcome.seconds = round(time.monotonic() - begin)
    outcome.corpus = len(list(corpus.iterdir()))
    return outcome


def run_program(name: str, seconds: int, work: pathlib.Path) -> Outcome:
    ours = seeds(name, work)
    real = real_folders(name)
    outcome = fuzz(name, seconds // 2 if real else seconds, work, "ours", ours)
    if real:
        beside = fuzz(name, seconds - seconds // 2, work, "real", [under(work, "ours", name), *ours, *real])
        outcome = Outcome(
            outcome.seconds + beside.seconds,
            outcome.executions + beside.executions,
            outcome.corpus + beside.corpus,
            max(outcome.coverage, beside.coverage),
            outcome.crashes + beside.crashes,
        )
    return outcome


def commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    is_changed = git("status", "--porcelain", "--", "core", "ingest/src", "ingest/fuzz/check.rs")
    return git("rev-parse", "--short", "HEAD") + ("+" if is_changed else "")


def record(name: str, at: str, outcome: Outcome) -> None:
    """Adds a line to the record, whose lines are in order."""
    lines = RECORD.read_text().removeprefix(HEADING).splitlines() if RECORD.exists() else []
    day = datetime.date.today().isoformat()
    figures = " | ".join(f"{figure:,}" for figure in dataclasses.astuple(outcome))
    lines.append(f"| {name} | {day} | {at} | {figures} |")
    lines.sort(key=lambda line: line.split("|")[1:3])
    RECORD.write_text(HEADING + "\n".join(lines) + "\n")
    print(f"{name}: {outcome}", flush=True)


def run(names: list[str], seconds: int, jobs: int, work: pathlib.Path) -> None:
    build(names)
    at = commit()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = {pool.submit(run_program, name, seconds, work): name for name in names}
        for done in concurrent.futures.as_completed(runs):
            record(runs[done], at, done.result())


def features(name: str, folders: list[pathlib.Path]) -> dict[pathlib.Path, set[int]]:
    """What each file of `folders` reaches, by the program's own account."""
    with tempfile.TemporaryDirectory() as scratch:
        account = pathlib.Path(scratch) / "account"
        options = ["-merge=1", "-set_cover_merge=1", f"-merge_control_file={account}"]
        chosen = pathlib.Path(scratch) / "chosen"
        chosen.mkdir()
        command = [binary(name), *options, f"-max_len={INPUT_BYTES_MAX}", chosen, *folders]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        lines = account.read_text().splitlines()
    # The number of files, how many of them are in the first folder, their names, then what each
    # reaches: `FT 3 17 18 40`.
    files = [pathlib.Path(file) for file in lines[2 : 2 + int(lines[0])]]
    reached = [line.split() for line in lines if line.startswith("FT ")]
    return {files[int(words[1])]: {int(word) for word in words[2:]} for words in reached}


def chosen(reached: dict[pathlib.Path, set[int]], known: set[int]) -> list[pathlib.Path]:
    """Files that reach most beyond `known` for their size, up to the limits."""
    known = set(known)
    kept, left = [], SAVED_BYTES_MAX
    while len(kept) < SAVED_INPUTS_MAX:
        fitting = [file for file in reached if file.stat().st_size <= left]
        gain = {file: len(reached[file] - known) / (file.stat().st_size + 50) for file in fitting}
        best = max(sorted(gain), key=lambda file: gain[file], default=None)
        if best is None or gain[best] == 0:
            break
        kept.append(best)
        known |= reached[best]
        left -= best.stat().st_size
    return kept


def save(names: list[str], work: pathlib.Path) -> None:
    for name in names:
        ours = seeds(name, work)
        reached = features(name, [*ours, under(work, "ours", name)])
        known = {feature for file in reached if file.parent in ours for feature in reached[file]}
        beyond = {file: reached[file] for file in reached if file.parent not in ours}
        folder = under(SAVED, name)
        for file in folder.iterdir():
            if re.fullmatch("[0-9a-f]{16}", file.name):
                file.unlink()
        for file in chosen(beyond, known):
            shutil.copyfile(file, folder / hashlib.sha1(file.read_bytes()).hexdigest()[:16])
        saved = list(folder.iterdir())
        print(f"{name}: {len(saved)} of {len(beyond)} inputs, {sum(file.stat().st_size for file in saved)} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "save"])
    parser.add_argument("programs", nargs="*", help="all of them, if none is named")
    parser.add_argument("--seconds", type=int, default=600, help="for each program")
    parser.add_argument("--jobs", type=int, default=2, help="programs at a time")
    parser.add_argument("--work", type=pathlib.Path, default=HERE / "corpus", help="folder for what grows")
    given = parser.parse_args()
    names = given.programs or programs()
    if given.what == "run":
        run(names, given.seconds, given.jobs, given.work)
    else:
        save(names, given.work)


if __name__ == "__main__":
    main()
