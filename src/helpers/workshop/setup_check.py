"""Is this machine ready for the book? One check at a time, and for each failure one thing to do.

A broken installation is an answer here, not an error: packages are imported inside the checks, and what
may crash or hang runs in a Python of its own. The syntax is that of Python 3.8, so that a Python which
is too old hears it in a sentence.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import platform as machine
import shutil
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
# Windows refuses paths longer than this; the longest file below an environment is JupyterLab's.
WINDOWS_PATH, LONGEST_FILE = 260, 170
# SHA-256 of the committed files; a test compares them.
CHECKSUMS = {
    "bounce_times.csv": "7ea3b77c45622d8b0c316ba646e80f2c12da617106f2863380ff4c6ef68bc646",
    "truth.json": "9b93818623f9ad92dac30229aa42182defc1df53862fa33ac37a9d8b9616d6e0",
}
STUDY = "calibration.json"  # the stored study, with the checksums of its tables
REWRITE_DATA = "Run: python -c \"from helpers.book import truth, visits; truth.write_data(visits.data_file('truth.json').parent)\""
DOWNLOAD = "Download the book again."

# A chapter runs all the same after a note; what must be mended would stop one.
OK, NOTE, MEND = "ok", "note", "MEND"


@dataclass(frozen=True)
class Result:
    """What a check found, and the one thing to do about it.

    Parameters
    ----------
    status
        ``OK``, ``NOTE`` (chapters run all the same) or ``MEND`` (they will not).
    message
        What was found, in a line.
    remedy
        The one thing to do; empty if all is well.
    check
        The name of the check.
    seconds
        How long the check took (s).
    """

    status: str
    message: str
    remedy: str = ""
    check: str = ""
    seconds: float = 0.0


def report() -> None:
    """Check this machine and print what ``python -m helpers check`` prints: for a first cell."""
    print_results(run_checks())


def run_checks(platform: str = sys.platform) -> Iterator[Result]:
    """Run one check after the other. A Python that is too old ends them: all else follows from it."""
    for name, check in list_checks(platform).items():
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
        result = Result(MEND, message, say_how_to_install(find_project()))
    home = os.path.expanduser("~")  # names its owner, and a teacher collects the messages
    message = " ".join(result.message.replace(home, "~").split())
    seconds = round(time.perf_counter() - start, 1)
    return replace(result, message=message, check=name, seconds=seconds)


def list_checks(platform: str) -> dict[str, Callable[[], Result]]:
    """The checks of a platform (as ``sys.platform`` names it), by name; the slow ones come last."""
    project = find_project()
    checks = {"Python": check_python, "packages": functools.partial(check_packages, project)}
    if runs_in_notebook():
        checks["kernel"] = functools.partial(check_kernel, project)
    checks["data"] = check_data
    checks["memory"] = check_memory
    checks["working folder"] = check_working_folder
    checks["kept fits"] = check_fit_cache
    if project and (project / "Makefile").exists():
        checks["make"] = functools.partial(check_make, platform)
    for name, trap in TRAPS.get(platform, {}).items():
        checks[name] = functools.partial(trap, platform)
    return {**checks, "plot": check_plot, "model": check_model}


def print_results(results: Iterable[Result]) -> bool:
    """Print a line for each result as it comes, what to do below it, and the verdict.

    Returns
    -------
    Whether nothing must be mended.
    """
    failures, told = 0, set()
    for result in results:
        failures += result.status == MEND
        print(write_line(result), flush=True)
        if result.remedy:  # one thing may mend several points
            remedy = "as above" if result.remedy in told else result.remedy
            print(f"{'':<21} -> {remedy}", flush=True)
        told.add(result.remedy)
    print(write_verdict(failures))
    return not failures


def write_line(result: Result) -> str:
    """Status, check and message in columns."""
    return f"{result.status:<5} {result.check:<15} {result.message}"


def write_verdict(failures: int) -> str:
    """The last line."""
    points = "point" if failures == 1 else "points"
    return f"Not ready: mend the {failures} {points} above." if failures else "Ready."


def summarize(results: Iterable[Result]) -> dict:
    """What a teacher collects: the verdict, the machine in general terms, and every check."""
    results = list(results)
    failures = sum(result.status == MEND for result in results)
    return {
        "ready": not failures,
        "failures": failures,
        "python": machine.python_version(),
        "platform": sys.platform,
        "machine": machine.machine(),
        "seconds": round(sum(result.seconds for result in results), 1),
        "checks": [asdict(result) for result in results],
    }


def check_python(version: tuple = sys.version_info[:3], largest: int = sys.maxsize) -> Result:
    """Is this Python new enough, and one of 64 bits?"""
    text = ".".join(map(str, version))
    wanted = ".".join(map(str, PYTHON))
    if tuple(version[:2]) < PYTHON:
        remedy = f"Install Python {wanted} or newer and make a new environment with it."
        return Result(MEND, f"{text} is too old", remedy)
    if largest <= 2**32:
        remedy = f"Install a 64-bit Python {wanted} or newer; there are no packages for this one."
        return Result(MEND, f"{text} is a Python of 32 bits", remedy)
    return Result(OK, f"{text} in the environment {Path(sys.prefix).name}")


def check_packages(project: Path | None) -> Result:
    """Are the packages that the book imports here, in versions that it admits and was run with?"""
    from packaging.requirements import Requirement

    pins = read_lock(project / "requirements.lock") if project else {}
    requirements = read_requirements(project)
    requirements += [Requirement(name) for name in JUPYTER if name in pins]
    wrong, other = compare_versions(requirements, pins)
    if wrong:
        return Result(MEND, shorten(wrong.values()), say_how_to_install(project, list(wrong)))
    if other:
        return Result(NOTE, shorten(other), say_how_to_install(project))
    source = "as requirements.lock pins them" if project else "in versions that the book admits"
    return Result(OK, f"all {len(requirements)}, {source}")


def check_kernel(project: Path | None) -> Result:
    """Did the notebook import a package before another version of it was installed?"""
    for requirement in read_requirements(project):
        loaded = getattr(sys.modules.get(requirement.name), "__version__", None)
        installed = find_version(requirement.name)
        if loaded and installed and loaded != installed:
            message = f"still holds {requirement.name} {loaded}, and {installed} is installed"
            return Result(MEND, message, "Restart the kernel and run this cell again.")
    return Result(OK, "holds no package that was replaced since")


def check_data(folder: Path | None = None) -> Result:
    """Are the book's data the ones it was written with, byte for byte?"""
    folder = folder or find_data()
    try:
        study = json.loads((folder / STUDY).read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError):
        return Result(MEND, f"{STUDY} is missing or damaged", DOWNLOAD)
    results = [
        judge_file(folder / name, checksum, remedy)
        for checksums, remedy in ((CHECKSUMS, REWRITE_DATA), (study, DOWNLOAD))
        for name, checksum in checksums.items()
    ]
    return max(results, key=lambda result: (OK, NOTE, MEND).index(result.status))


def judge_file(path: Path, checksum: str, remedy: str) -> Result:
    """Compare a file with its SHA-256; Windows line ends are a cause of their own."""
    if not path.exists():
        return Result(MEND, f"{path.name} is missing", DOWNLOAD)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() == checksum:
        return Result(OK, "all files are the book's own")
    if hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest() == checksum:
        message = f"{path.name} has Windows line ends (CRLF): git changed it at the checkout"
        return Result(NOTE, message, remedy)
    return Result(MEND, f"{path.name} is not the book's: its checksum differs", remedy)


def check_memory() -> Result:
    """Is there room for a chapter?"""
    available = read_memory()
    if available is None:
        remedy = f"See in your system's monitor that {MEMORY / GIGABYTE:.0f} GB are free."
        return Result(NOTE, "how much is available is unknown", remedy)
    message = f"{available / GIGABYTE:.1f} GB available"
    if available < MEMORY:
        remedy = "Close other programs, the browser's tabs first."
        return Result(MEND, f"only {message}, {MEMORY / GIGABYTE:.0f} GB needed", remedy)
    return Result(OK, message)


def read_memory() -> float | None:
    """Bytes available to programs, or nothing if that cannot be told."""
    try:
        import psutil

        return psutil.virtual_memory().available
    except Exception:
        return None


def check_working_folder(folder: Path | None = None) -> Result:
    """Can a notebook be saved here?"""
    problem = try_to_write(folder or Path.cwd())
    if problem:
        remedy = "Go to a folder of your own, such as one in your home, and start from there."
        return Result(MEND, f"cannot be written to ({problem})", remedy)
    return Result(OK, "can be written to")


def check_fit_cache() -> Result:
    """Can fits be kept? Without that every chapter computes its own."""
    folder = find_fit_cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        problem = try_to_write(folder)
    except OSError as error:
        problem = error.strerror
    if problem:
        message = f"their folder cannot be written to ({problem}), so every fit is computed anew"
        remedy = "Set the variable BOOK_FIT_CACHE to a folder that you can write to."
        return Result(NOTE, message, remedy)
    return Result(OK, "their folder can be written to")


def try_to_write(folder: Path) -> str:
    """Write a file that vanishes; return why that failed, or nothing."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"ready?")
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def check_make(platform: str) -> Result:
    """Does ``make book`` work? Windows needs a shell beside make, macOS the command line tools."""
    tools = ("make", "sh") if platform == "win32" else ("make",)
    missing = [tool for tool in tools if not shutil.which(tool)]
    if not missing and (platform != "darwin" or has_command_line_tools()):
        return Result(OK, "is here")
    if platform == "darwin":
        return Result(NOTE, "the command line tools are missing", "Run: xcode-select --install")
    remedy = "Follow 'Without make' in README.md; no chapter needs it."
    return Result(NOTE, f"there is no {' and no '.join(missing)}", remedy)


def has_command_line_tools() -> bool:
    """On macOS ``make`` is a stand-in until these are installed."""
    return call("xcode-select", "-p") is not None


def check_paths(platform: str, folders: dict[str, str] | None = None) -> Result:
    """Does a path hold what compilers and file formats stumble over on Windows and macOS?"""
    folders = folders or {
        "the environment": sys.prefix,
        "the working folder": os.getcwd(),
        "the folder of temporary files": tempfile.gettempdir(),
    }
    for name, folder in folders.items():
        problems = {"a space": " " in folder, "letters beyond a-z": not folder.isascii()}
        found = [problem for problem, is_there in problems.items() if is_there]
        if found and platform in ("win32", "darwin"):
            place = r"C:\book" if platform == "win32" else "/Users/Shared/book"
            remedy = f"If a chapter fails on a file, move the book to {place}."
            return Result(NOTE, f"{name} has {' and '.join(found)} in its path", remedy)
    return Result(OK, "plain letters, no spaces")


def check_processor(platform: str) -> Result:
    """Is this a Python for Intel on Apple's own processor?"""
    translated = platform == "darwin" and machine.machine() == "x86_64"
    if translated and call("sysctl", "-n", "sysctl.proc_translated") == "1":
        remedy = "Install Python for Apple silicon (arm64) and make a new environment with it."
        return Result(NOTE, "this Python is for Intel and runs, slowly, under Rosetta", remedy)
    return Result(OK, f"Python is made for it ({machine.machine()})")


def check_long_paths(platform: str, prefix: str = sys.prefix) -> Result:
    """Would a file of a package have a path that Windows refuses?"""
    longest = len(prefix) + 1 + LONGEST_FILE
    if platform != "win32" or longest < WINDOWS_PATH or read_long_paths():
        return Result(OK, "no file has a path that is too long")
    remedy = (
        f"Make the environment in a folder whose path is shorter by {longest - WINDOWS_PATH + 1}."
    )
    return Result(NOTE, "Windows refuses paths as long as some below this environment", remedy)


def read_long_paths() -> bool:
    """Whether Windows was told to admit long paths."""
    import winreg

    place = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        return False


TRAPS = {
    "win32": {"paths": check_paths, "long paths": check_long_paths},
    "darwin": {"paths": check_paths, "processor": check_processor},
}


def check_plot() -> Result:
    """Is a figure drawn?"""
    try:
        drawn = run_alone("draw_plot")
    except (RuntimeError, TimeoutError) as error:
        return explain(error)
    if drawn["ink"] == 0:
        return Result(MEND, "the picture is empty", say_how_to_install(find_project()))
    return Result(OK, f"drawn, {drawn['bytes'] / 1024:.0f} kB")


def draw_plot() -> dict:
    """Draw a line without a window; return the bytes of the PNG and the number of pixels with ink."""
    import io

    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    canvas = FigureCanvasAgg(figure)
    figure.subplots().plot([0, 1, 2], [0, 1, 4])
    file = io.BytesIO()
    canvas.print_png(file)
    ink = (np.asarray(canvas.buffer_rgba()) < 255).any(axis=2)
    return {"bytes": len(file.getvalue()), "ink": int(ink.sum())}


def check_model() -> Result:
    """Is a model compiled and sampled, and is the answer right?"""
    start = time.perf_counter()
    try:
        answer = run_alone("sample_model")
    except (RuntimeError, TimeoutError) as error:
        return explain(error)
    means = f"posterior mean {answer['mean']:.2f} (exactly {answer['exact']:.2f})"
    # Five Monte Carlo errors, if only 100 of the 1,000 draws counted.
    if abs(answer["mean"] - answer["exact"]) > 0.5 * answer["sd"]:
        return Result(MEND, f"wrong {means}", say_how_to_install(find_project()))
    return Result(OK, f"{means}, {time.perf_counter() - start:.0f} s with imports")


def sample_model() -> dict:
    """Sample the mean of 25 values with known sd; return its posterior mean, and the exact one and sd."""
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


def run_alone(function: str, patience: float = PATIENCE) -> dict:
    """Call a function of this module in a Python of its own.

    Raises
    ------
    TimeoutError
        If it takes longer than ``patience`` (s).
    RuntimeError
        If it fails or Python itself stops; with the last line of what it said.
    """
    program = (
        "import json, sys; sys.path.append(sys.argv[1]); from helpers.workshop import setup_check; "
        "print(json.dumps(getattr(setup_check, sys.argv[2])()))"
    )
    command = [sys.executable, "-c", program, str(Path(__file__).parents[2]), function]
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


def explain(error: Exception) -> Result:
    """What a failure of ``run_alone`` means for a reader."""
    if isinstance(error, TimeoutError):
        return Result(MEND, str(error), "Close other programs and check again.")
    if "DLL load failed" in str(error):
        remedy = "Install Microsoft's Visual C++ Redistributable (x64) and check again."
        return Result(MEND, str(error), remedy)
    return Result(MEND, str(error), say_how_to_install(find_project()))


def find_project() -> Path | None:
    """The folder of the checkout that this file belongs to; nothing for an installed wheel."""
    folder = Path(__file__).resolve().parents[3]
    wanted = ("pyproject.toml", "requirements.lock")
    return folder if all((folder / name).exists() for name in wanted) else None


def find_data() -> Path:
    """Folder of the data, as ``visits.data_file`` finds it, without the packages that it imports."""
    package = Path(__file__).parents[1]
    installed = package / "data_files"
    return installed if installed.exists() else package.parents[1] / "data"


def find_fit_cache() -> Path:
    """Folder of kept fits, as ``fits.cache_folder`` finds it, without the packages that it imports."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("BOOK_FIT_CACHE") or user_cache_path(DISTRIBUTION))


def read_requirements(project: Path | None) -> list:
    """What the helpers import: from pyproject.toml, or from what pip knows of the installed wheel."""
    from packaging.requirements import Requirement

    if project:
        import tomllib

        text = (project / "pyproject.toml").read_text(encoding="utf-8")
        lines = tomllib.loads(text)["project"]["dependencies"]
    else:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    requirements = [Requirement(line) for line in lines]
    return [one for one in requirements if not one.marker or one.marker.evaluate({"extra": ""})]


def read_lock(path: Path) -> dict[str, str]:
    """The version that the lock pins for this Python and system, by package."""
    from packaging.requirements import Requirement

    lines = path.read_text(encoding="utf-8").splitlines()
    entries = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    here = [entry for entry in entries if not entry.marker or entry.marker.evaluate()]
    return {entry.name: str(entry.specifier)[2:] for entry in here}


def compare_versions(requirements: list, pins: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Compare what is installed with what the book needs.

    Parameters
    ----------
    requirements
        What ``read_requirements`` returns.
    pins
        What ``read_lock`` returns; empty if there is no lock.

    Returns
    -------
    Sentences on missing and unfit packages, by requirement; and on all others that differ from the lock,
    also those that only other packages need.
    """
    wrong, other = {}, []
    for requirement in requirements:
        name, installed = requirement.name, find_version(requirement.name)
        if installed is None:
            wrong[str(requirement)] = f"{name} is missing"
        elif not requirement.specifier.contains(installed, prereleases=True):
            wrong[str(requirement)] = f"{name} is {installed}, not {requirement.specifier}"
    for name, pinned in pins.items():
        installed = find_version(name)
        if installed not in (None, pinned):
            other.append(f"{name} is {installed}, in the lock {pinned}")
    return wrong, other


def find_version(package: str) -> str | None:
    """The installed version of a package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def say_how_to_install(project: Path | None, requirements: list[str] | None = None) -> str:
    """The command that brings the book's packages: from the lock, or only what is wrong in a wheel."""
    if project:
        command = f"{name_python(project)} -m pip install --require-hashes -r requirements.lock"
        return f"In the book's folder: {command}"
    if requirements:
        quoted = " ".join(f'"{requirement}"' for requirement in requirements)
        return f"Run: python -m pip install --upgrade {quoted}"
    return "Install the book again, in a new environment."


def name_python(project: Path) -> str:
    """How to call this Python from the book's folder."""
    try:
        return str(Path(sys.executable).relative_to(project))
    except ValueError:
        return "python"


def shorten(sentences: Iterable[str], most: int = 3) -> str:
    """The first few sentences, and how many more there are."""
    sentences = list(sentences)
    more = [f"and {len(sentences) - most} more"] if len(sentences) > most else []
    return "; ".join(sentences[:most] + more)


def runs_in_notebook() -> bool:
    """Whether a Jupyter kernel runs this."""
    return "ipykernel" in sys.modules


def call(*command: str) -> str | None:
    """What a program of the system prints; nothing if it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout.strip()
