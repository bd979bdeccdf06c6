"""Is this machine ready for the book? One check at a time, and for each failure one thing to do.

A broken installation is an answer here, not an error: packages are imported inside the checks, and what
may crash or hang runs in a Python of its own. The syntax is that of Python 3.8, so that a Python which
is too old hears it in a sentence.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

DISTRIBUTION = "bayesian-lmm-book"
PYTHON = (3, 12)
GIGABYTE = 1024**3
MEMORY = 2 * GIGABYTE
JUPYTER = ("jupyterlab",)  # what opens the notebooks; in the lock, not in the wheel
R_PACKAGES = ("brms", "lme4", "readr")  # what the scripts in r/ load
PATIENCE = 120  # seconds; a first import waits for compiled bytecode, fonts and the virus scanner
PACKAGE = Path(__file__).resolve().parents[1]
LOCK = PACKAGE.parents[1] / "requirements.lock"  # a checkout has it, an installed wheel has not
DATA = PACKAGE / "data_files" if (PACKAGE / "data_files").exists() else LOCK.parent / "data"
# SHA-256 of the book's tables; the stored studies bring those of their own.
CHECKSUMS = {
    "bounce_times.csv": "7ea3b77c45622d8b0c316ba646e80f2c12da617106f2863380ff4c6ef68bc646",
    "next_truth.json": "2c7c35993325376bc92061419833a2af687d890d4d700011ee3f30a0190f84d0",
    "next_visits.csv": "1b412cd059371a5bfa8c4415cd09b4ad544a5dab64aff64996dddaf75c3b99c0",
    "priors.csv": "93330311dd5fde8a69665cecffe1cb6684f0635f145430f8a862afc33587bc05",
    "truth.json": "9b93818623f9ad92dac30229aa42182defc1df53862fa33ac37a9d8b9616d6e0",
}
STUDIES = ("calibration.json", "calibration_families.json", "forgotten_factor.json", "scale.json")

# A chapter runs all the same after a note; what must be mended would stop one.
OK, NOTE, MEND = "ok", "note", "MEND"


@dataclass(frozen=True)
class Result:
    """What a check found (``status``, and ``message`` in a line), and the one thing to do about it."""

    status: str
    message: str
    remedy: str = ""  # empty if all is well
    check: str = ""  # its name
    seconds: float = 0.0


def report() -> None:
    """Print what ``python -m helpers check`` prints: for a first cell."""
    check_machine()


def check_machine(show: bool = True) -> dict:
    """Run one check after the other; a Python that is too old ends them: all else follows from it.

    Each result is printed as it comes, with what to do below it; then the verdict. Returned is what
    a teacher collects: the verdict, the machine in general terms, and every check.
    """
    say = partial(print, flush=True) if show else lambda text: None
    results = []
    for name, check in CHECKS.items():
        results.append(result := run_check(name, check))
        say(f"{result.status:<5} {name:<15} {result.message}")
        if result.remedy:
            say(f"{'':<21} -> {result.remedy}")
        if name == "Python" and result.status == MEND:
            break
    failures = sum(result.status == MEND for result in results)
    points = "point" if failures == 1 else "points"
    say(f"Not ready: mend the {failures} {points} above." if failures else "Ready.")
    return {
        "ready": not failures,
        "failures": failures,
        "python": ".".join(map(str, sys.version_info[:3])),
        "platform": sys.platform,
        "seconds": round(sum(result.seconds for result in results), 1),
        "checks": [asdict(result) for result in results],
    }


def run_check(name: str, check: Callable[[], Result]) -> Result:
    """Run a check and time it; one that fails in an unforeseen way is a result too."""
    start = time.perf_counter()
    try:
        result = check()
    except Exception as error:
        message = f"could not be checked: {str(error) or type(error).__name__}"
        result = Result(MEND, message, say_how_to_install())
    home = os.path.expanduser("~")  # names its owner, and a teacher collects the messages
    message = " ".join(result.message.replace(home, "~").split())
    seconds = round(time.perf_counter() - start, 1)
    return replace(result, message=message, check=name, seconds=seconds)


def check_python(version: tuple = sys.version_info[:3], largest: int = sys.maxsize) -> Result:
    text, wanted = (".".join(map(str, numbers)) for numbers in (version, PYTHON))
    remedy = f"Install Python {wanted} or newer, of 64 bits, and make a new environment with it."
    if tuple(version[:2]) < PYTHON:
        return Result(MEND, f"{text} is too old", remedy)
    if largest <= 2**32:
        return Result(MEND, f"{text} is a Python of 32 bits", remedy)
    return Result(OK, f"{text} in the environment {Path(sys.prefix).name}")


def check_packages() -> Result:
    """Are the packages that the book imports here, in versions that it admits and was run with?"""
    from packaging.requirements import Requirement

    pins = read_lock(LOCK) if LOCK.exists() else {}
    needed = [*(importlib.metadata.requires(DISTRIBUTION) or []), *(JUPYTER if pins else ())]
    wanted = [Requirement(line) for line in needed]
    wanted = [w for w in wanted if not w.marker or w.marker.evaluate({"extra": ""})]  # no extras
    found = {requirement: find_version(requirement.name) for requirement in wanted}
    unfit = [
        f"{requirement} is needed, and {version or 'none'} is installed"
        for requirement, version in found.items()
        if not version or not requirement.specifier.contains(version, prereleases=True)
    ]
    other = [
        f"{name} is {find_version(name)}, in the lock {pin}"
        for name, pin in pins.items()
        if find_version(name) not in (None, pin)  # many are other systems', or the book's tools'
    ]
    if unfit or other:
        told = "; ".join((unfit or other)[:3])
        return Result(MEND if unfit else NOTE, told, say_how_to_install())
    source = "as requirements.lock pins them" if pins else "in versions that the book admits"
    return Result(OK, f"all {len(found)}, {source}")


def find_version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def read_lock(path: Path) -> dict[str, str]:
    """The version that the lock pins for this Python and system, by package."""
    from packaging.requirements import Requirement

    lines = path.read_text(encoding="utf-8").splitlines()
    entries = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    here = [entry for entry in entries if not entry.marker or entry.marker.evaluate()]
    return {entry.name: str(entry.specifier)[2:] for entry in here}


def say_how_to_install() -> str:
    """The command that brings the book's packages as the lock pins them, to this Python."""
    if not LOCK.exists():
        return "Install the book again, in a new environment."
    folder, python = LOCK.parent, Path(sys.executable)
    name = python.relative_to(folder) if folder in python.parents else "python"
    return f"In the book's folder: {name} -m pip install --require-hashes -r requirements.lock"


def check_data(folder: Path = DATA) -> Result:
    """Are the book's data the ones it was written with? Line ends may be those of Windows."""
    remedy = "Download the book again."
    checksums = dict(CHECKSUMS)
    try:
        for study in STUDIES:
            checksums |= json.loads((folder / study).read_text(encoding="utf-8"))["sha256"]
        for name, checksum in checksums.items():
            content = (folder / name).read_bytes()
            endings = (content, content.replace(b"\r\n", b"\n"))
            if checksum not in [hashlib.sha256(one).hexdigest() for one in endings]:
                return Result(MEND, f"{name} is not the book's: its checksum differs", remedy)
    except FileNotFoundError as error:
        return Result(MEND, f"{Path(error.filename).name} is missing", remedy)
    except (ValueError, KeyError):
        return Result(MEND, f"{study} is damaged", remedy)
    return Result(OK, "all files are the book's own")


def check_memory() -> Result:
    import psutil

    available = psutil.virtual_memory().available
    message = f"{available / GIGABYTE:.1f} GB available"
    if available >= MEMORY:
        return Result(OK, message)
    remedy = "Close other programs, the browser's tabs first."
    return Result(MEND, f"only {message}, {MEMORY / GIGABYTE:.0f} GB needed", remedy)


def check_working_folder() -> Result:
    """Can a notebook be saved here?"""
    remedy = "Go to a folder of your own, such as one in your home, and start from there."
    return try_to_write(Path.cwd(), MEND, "cannot be written to", remedy)


def check_kept_fits() -> Result:
    """Can fits be kept? Without that every chapter computes its own."""
    from platformdirs import user_cache_path

    # As ``fits.cache_folder`` finds it, without the packages that it imports.
    folder = Path(os.environ.get("BOOK_FIT_CACHE") or user_cache_path(DISTRIBUTION)).expanduser()
    message = "every fit is computed anew, their folder cannot be written to"
    remedy = "Set the variable BOOK_FIT_CACHE to a folder that you can write to."
    return try_to_write(folder, NOTE, message, remedy)


def try_to_write(folder: Path, status: str, message: str, remedy: str) -> Result:
    """Write a file that vanishes; say why, where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"ready?")
    except OSError as error:
        return Result(status, f"{message} ({error.strerror or error})", remedy)
    return Result(OK, "can be written to")


def check_model(patience: float = PATIENCE) -> Result:
    """Is a model compiled and sampled, in a Python of its own, and is the answer right?"""
    run = {"capture_output": True, "encoding": "utf-8", "errors": "replace", "timeout": patience}
    start, remedy = time.perf_counter(), say_how_to_install()
    try:
        done = subprocess.run([sys.executable, __file__], **run)
    except subprocess.TimeoutExpired:
        remedy = "Close other programs and check again."
        return Result(MEND, f"no answer after {patience:.0f} s", remedy)
    if done.returncode:
        said = done.stderr.strip().splitlines() if "Traceback" in done.stderr else []
        message = said[-1] if said else f"Python stopped with code {done.returncode}"
        if "DLL load failed" in message:  # on Windows, and no installation of packages helps
            remedy = "Install Microsoft's Visual C++ Redistributable (x64) and check again."
        return Result(MEND, message, remedy)
    answer = json.loads(done.stdout.splitlines()[-1])
    means = f"posterior mean {answer['mean']:.2f} (exactly {answer['exact']:.2f})"
    # Five Monte Carlo errors, if only 100 of the 1,000 draws counted.
    if abs(answer["mean"] - answer["exact"]) > 0.5 * answer["sd"]:
        return Result(MEND, f"wrong {means}", remedy)
    return Result(OK, f"{means}, {time.perf_counter() - start:.0f} s with imports")


def sample_model() -> dict:
    """Sample the mean of 25 values with known sd; return its posterior mean, the exact one and its sd.

    Figures and Bambi, which chapters need too, are imported with it.
    """
    import bambi  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import numpy as np
    import pymc as pm

    values = np.linspace(1.0, 3.0, 25)
    settings = {"draws": 500, "tune": 500, "chains": 2, "random_seed": 1, "progressbar": False}
    with pm.Model():
        mean = pm.Normal("mean", 0.0, 10.0)
        pm.Normal("value", mean, 1.0, observed=values)
        tree = pm.sample(**settings, nuts_sampler="nutpie")
    precision = len(values) + 1 / 10.0**2
    exact = {"exact": float(values.sum() / precision), "sd": float(precision**-0.5)}
    return {"mean": float(tree["posterior"]["mean"].mean()), **exact}


def check_r() -> Result:
    """Is there an R with what the scripts in r/ load? Whoever reads the part "In R" needs none."""
    program = shutil.which("Rscript")
    if program is None:
        return Result(OK, "is not here; only the scripts in r/ need it")
    asked = f"for (p in c{R_PACKAGES}) if (!nzchar(system.file(package = p))) cat(p, '')"
    run = partial(subprocess.run, capture_output=True, text=True, timeout=PATIENCE)
    missing = run([program, "-e", asked]).stdout.split()
    without = f", without {' and '.join(missing)}; the scripts in r/ need them" if missing else ""
    return Result(OK, f"is here{without}")


CHECKS = {
    "Python": check_python,
    "packages": check_packages,
    "data": check_data,
    "memory": check_memory,
    "working folder": check_working_folder,
    "kept fits": check_kept_fits,
    "R": check_r,
    "model": check_model,
}

if __name__ == "__main__":
    print(json.dumps(sample_model()))
