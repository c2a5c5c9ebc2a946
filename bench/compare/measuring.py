"""What the comparisons share: where things are, an environment of their own, one measured process."""

import datetime
import os
import pathlib
import platform
import resource
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RELEASE = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"


def environment(folder: pathlib.Path, packages: list) -> pathlib.Path:
    """The Python of a virtual environment in `folder` that has `packages`, given as `name==version`."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def measure(words: list, output, errors=subprocess.STDOUT, seconds: int = 0, gigabytes: int = 0) -> dict:
    """Wall and CPU seconds, peak memory in MB and the exit code of one process with its children.

    With `seconds` it gets no more CPU seconds, and ends with -SIGXCPU; with `gigabytes`, no more memory.
    """
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in words], stdout=output, stderr=errors)
    if seconds:
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, seconds + 1))
    if gigabytes:
        resource.prlimit(process.pid, resource.RLIMIT_AS, (gigabytes * 2**30, gigabytes * 2**30))
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024,
            "code": process.returncode}


def said(words: list) -> str:
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False).stdout.strip()


def page_command() -> str:
    """The command that runs, for its page: folders of this machine are left out."""
    words, own = iter(sys.argv[1:]), []
    for word in words:
        if word in ("--work", "--results", "--postgres-data"):
            next(words, None)
        elif word != "--inside":
            own.append("LEDGER" if own[-1:] == ["--grown"] else word)
    return " ".join([f"python3 bench/compare/{pathlib.Path(sys.argv[0]).name}", *own])


def commit() -> str:
    return said(["git", "rev-parse", "--short", "HEAD"])


def machine() -> list:
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        f"- {datetime.date.today()}, commit {commit()}, {said(['rustc', '--version'])}",
        f"- {model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GB, {platform.system()} {platform.release()}",
    ]
