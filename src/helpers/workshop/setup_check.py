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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

DISTRIBUTION = "bayesian-lmm-book"
PYTHON = (3, 12)
GIGABYTE = 1024**3
MEMORY = 2 * GIGABYTE
JUPYTER = ("jupyterlab", "ipykernel")  # what runs the notebooks; in the lock, not in the wheel
PATIENCE = 120  # seconds; a first import waits for compiled bytecode, fonts and the virus scanner
PACKAGE = Path(__file__).resolve().parents[1]
# SHA-256 of the book's tables; the stored study brings those of its own.
CHECKSUMS = {
    "bounce_times.csv": "7ea3b77c45622d8b0c316ba646e80f2c12da617106f2863380ff4c6ef68bc646",
    "truth.json": "9b93818623f9ad92dac30229aa42182defc1df53862fa33ac37a9d8b9616d6e0",
}
STUDY = "calibration.json"

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
    print_results(run_checks())


def run_checks() -> Iterator[Result]:
    """Run one check after the other. A Python that is too old ends them: all else follows from it."""
    for name, check in CHECKS.items():
        result = run_check(name, check)
        yield result
        if name == "Python" and result.status == MEND:
            return


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


def print_results(results: Iterable[Result]) -> bool:
    """Print each result as it comes, what to do below it, and the verdict; return if it is good."""
    failures = 0
    for result in results:
        failures += result.status == MEND
        print(f"{result.status:<5} {result.check:<15} {result.message}", flush=True)
        if result.remedy:
            print(f"{'':<21} -> {result.remedy}", flush=True)
    points = "point" if failures == 1 else "points"
    print(f"Not ready: mend the {failures} {points} above." if failures else "Ready.")
    return not failures


def summarize(results: Iterable[Result]) -> dict:
    """What a teacher collects: the verdict, the machine in general terms, and every check."""
    results = list(results)
    failures = sum(result.status == MEND for result in results)
    return {
        "ready": not failures,
        "failures": failures,
        "python": ".".join(map(str, sys.version_info[:3])),
        "platform": sys.platform,
        "seconds": round(sum(result.seconds for result in results), 1),
        "checks": [asdict(result) for result in results],
    }


def check_python(version: tuple = sys.version_info[:3], largest: int = sys.maxsize) -> Result:
    """Is this Python new enough, and one of 64 bits?"""
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

    project = find_project()
    pins = read_lock(project / "requirements.lock") if project else {}
    needed = [*(importlib.metadata.requires(DISTRIBUTION) or []), *(JUPYTER if pins else ())]
    unfit = []
    for wanted in map(Requirement, needed):
        found = find_version(wanted.name)
        if not found or not wanted.specifier.contains(found, prereleases=True):
            unfit.append(f"{wanted} is needed, and {found or 'none'} is installed")
    if unfit:
        return Result(MEND, "; ".join(unfit[:3]), say_how_to_install())
    found = {name: find_version(name) for name in pins}
    other = [
        f"{name} is {found[name]}, in the lock {pin}"
        for name, pin in pins.items()
        if found[name] not in (None, pin)  # many belong to other systems, or to the book's tools
    ]
    if other:
        return Result(NOTE, "; ".join(other[:3]), say_how_to_install())
    source = "as requirements.lock pins them" if pins else "in versions that the book admits"
    return Result(OK, f"all {len(needed)}, {source}")


def check_data(folder: Path | None = None) -> Result:
    """Are the book's data the ones it was written with? Line ends may be those of Windows."""
    folder = folder or find_data()
    remedy = "Download the book again."
    try:
        study = json.loads((folder / STUDY).read_text(encoding="utf-8"))["sha256"]
        for name, checksum in {**CHECKSUMS, **study}.items():
            content = (folder / name).read_bytes()
            endings = (content, content.replace(b"\r\n", b"\n"))
            if checksum not in [hashlib.sha256(one).hexdigest() for one in endings]:
                return Result(MEND, f"{name} is not the book's: its checksum differs", remedy)
    except FileNotFoundError as error:
        return Result(MEND, f"{Path(error.filename).name} is missing", remedy)
    except (ValueError, KeyError):
        return Result(MEND, f"{STUDY} is damaged", remedy)
    return Result(OK, "all files are the book's own")


def check_memory() -> Result:
    """Is there room for a chapter?"""
    import psutil

    available = psutil.virtual_memory().available
    message = f"{available / GIGABYTE:.1f} GB available"
    if available < MEMORY:
        remedy = "Close other programs, the browser's tabs first."
        return Result(MEND, f"only {message}, {MEMORY / GIGABYTE:.0f} GB needed", remedy)
    return Result(OK, message)


def check_working_folder() -> Result:
    """Can a notebook be saved here?"""
    remedy = "Go to a folder of your own, such as one in your home, and start from there."
    return try_to_write(Path.cwd(), Result(MEND, "cannot be written to", remedy))


def check_kept_fits() -> Result:
    """Can fits be kept? Without that every chapter computes its own."""
    from platformdirs import user_cache_path

    # As ``fits.cache_folder`` finds it, without the packages that it imports.
    folder = Path(os.environ.get("BOOK_FIT_CACHE") or user_cache_path(DISTRIBUTION)).expanduser()
    remedy = "Set the variable BOOK_FIT_CACHE to a folder that you can write to."
    message = "every fit is computed anew, their folder cannot be written to"
    return try_to_write(folder, Result(NOTE, message, remedy))


def try_to_write(folder: Path, otherwise: Result) -> Result:
    """Write a file that vanishes; say why, where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"ready?")
    except OSError as error:
        return replace(otherwise, message=f"{otherwise.message} ({error.strerror or error})")
    return Result(OK, "can be written to")


def check_model() -> Result:
    """Is a model compiled and sampled, and is the answer right?"""
    start = time.perf_counter()
    try:
        answer = sample_alone()
    except TimeoutError as error:
        return Result(MEND, str(error), "Close other programs and check again.")
    except RuntimeError as error:
        remedy = say_how_to_install()
        if "DLL load failed" in str(error):  # on Windows, and no installation of packages helps
            remedy = "Install Microsoft's Visual C++ Redistributable (x64) and check again."
        return Result(MEND, str(error), remedy)
    means = f"posterior mean {answer['mean']:.2f} (exactly {answer['exact']:.2f})"
    # Five Monte Carlo errors, if only 100 of the 1,000 draws counted.
    if abs(answer["mean"] - answer["exact"]) > 0.5 * answer["sd"]:
        return Result(MEND, f"wrong {means}", say_how_to_install())
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
    with pm.Model():
        mean = pm.Normal("mean", 0.0, 10.0)
        pm.Normal("value", mean, 1.0, observed=values)
        tree = pm.sample(
            draws=500, tune=500, chains=2, random_seed=1, nuts_sampler="nutpie", progressbar=False
        )
    precision = len(values) + 1 / 10.0**2
    exact = {"exact": float(values.sum() / precision), "sd": float(precision**-0.5)}
    return {"mean": float(tree["posterior"]["mean"].mean()), **exact}


def sample_alone(patience: float = PATIENCE) -> dict:
    """Run this file, which samples the model, in a Python of its own.

    Raises a ``TimeoutError`` if it takes longer than ``patience`` (s), and a ``RuntimeError`` with the last
    line of what it said if it fails or Python itself stops.
    """
    command = [sys.executable, __file__]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=patience, encoding="utf-8", errors="replace"
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"no answer after {patience:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() if "Traceback" in done.stderr else []
        raise RuntimeError(said[-1] if said else f"Python stopped with code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


CHECKS = {
    "Python": check_python,
    "packages": check_packages,
    "data": check_data,
    "memory": check_memory,
    "working folder": check_working_folder,
    "kept fits": check_kept_fits,
    "model": check_model,
}


def find_project() -> Path | None:
    """The folder of the checkout that this file belongs to; nothing for an installed wheel."""
    folder = PACKAGE.parents[1]
    wanted = ("pyproject.toml", "requirements.lock")
    return folder if all((folder / name).exists() for name in wanted) else None


def find_data() -> Path:
    """Folder of the data: inside an installed wheel, or at the top of a checkout."""
    installed = PACKAGE / "data_files"
    return installed if installed.exists() else PACKAGE.parents[1] / "data"


def find_version(package: str) -> str | None:
    """The installed version of a package."""
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
    project, python = find_project(), Path(sys.executable)
    if not project:
        return "Install the book again, in a new environment."
    name = python.relative_to(project) if project in python.parents else "python"
    return f"In the book's folder: {name} -m pip install --require-hashes -r requirements.lock"


if __name__ == "__main__":
    print(json.dumps(sample_model()))
