"""Run the scripts of r/ with R, and store what they print and draw in data/r/ (``make r``).

The part "In R" of the book shows what is stored, so that no page needs R. Everything is written at the
end: where a script stops, what is stored stays as it was.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from helpers.book import in_r

ROOT = Path(__file__).resolve().parents[2]
STUDY = Path(__file__).parent
FITS = ROOT / "r" / "fits"
# Those of the first row know nothing of each other; the others read the fits of these.
AT_ONCE = (
    (
        *("20_outcomes", "07_random_slope", "04_priors", "06_random_intercept"),
        *("19_two_factors", "05_pooled", "02_explore"),
    ),
    ("08_diagnostics", "10_checks", "15_answers", "exercises"),
)
HINTS = {  # what R says, and what to do
    "Compil": "the Stan model does not compile; is there a C++ compiler with Boost's headers",
    "divergences": "this fit must not be read",
}


def call(script: Path, *arguments: Path | str) -> None:
    """Run a script by Rscript; ``SystemExit`` has one sentence if it stops."""
    command = ["Rscript", "--vanilla", str(script), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        log = ROOT / "_build" / "r.log"
        log.parent.mkdir(exist_ok=True)
        log.write_text(done.stdout + done.stderr, encoding="utf-8")
        raise SystemExit(explain(Path(arguments[0] if len(arguments) > 1 else script), done.stderr))


def explain(script: Path, said: str) -> str:
    """One sentence of what R said when a script stopped."""
    errors = [line for line in said.splitlines() if line.strip()]
    first = next((k for k, line in enumerate(errors) if line.startswith("Error")), 0)
    text = " ".join(
        line.strip() for line in errors[first : first + 2] if line != "Execution halted"
    )
    hint = next(
        (hint for sign, hint in HINTS.items() if sign in said), "r/README.md says what R needs"
    )
    return (
        f"{script.name} stopped, and nothing was stored: {text.removeprefix('Error: ')[:300]} ({hint}; all "
        "of it is in _build/r.log)."
    )


def evaluate(name: str, folder: Path) -> float:
    """Run one script section by section; return its seconds."""
    start = time.perf_counter()
    call(STUDY / "evaluate.R", ROOT / "r" / f"{name}.R", folder)
    return time.perf_counter() - start


def run_all(folder: Path) -> None:
    names, done = [name for row in AT_ONCE for name in row], 0
    with ThreadPoolExecutor(2) as pool:
        for row in AT_ONCE:
            for name, seconds in zip(
                row, pool.map(lambda n: evaluate(n, folder), row), strict=True
            ):
                done += 1
                print(f"[{done}/{len(names)}] r/{name}.R: {seconds:.0f} s", flush=True)
    call(STUDY / "store.R", folder)


def gather(folder: Path) -> dict:
    """What the scripts printed and drew, by script and section; figures become WebP."""
    found = {}
    for text in sorted(folder.glob("*/*.txt")):
        drawn = []
        for figure in sorted(text.parent.glob(f"{text.stem}-[0-9].png")):
            drawn.append(f"{text.parent.name}-{figure.stem}.webp")
            with Image.open(figure) as picture:
                picture.convert("RGB").save(folder / drawn[-1], "WEBP", quality=60)
        printed = text.read_text(encoding="utf-8")
        found.setdefault(text.parent.name, {})[text.stem] = {"text": printed, "figures": drawn}
    return found


def store(folder: Path, target: Path, minutes: float) -> None:
    """Put the results of a whole run where the book reads them."""
    record = {
        "minutes": round(minutes, 1),
        "versions": json.loads((folder / "versions.json").read_text(encoding="utf-8")),
        "fingerprint": in_r.fingerprint(),
        "sections": gather(folder),
    }
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in (*folder.glob("*.webp"), *folder.glob("*.csv.gz"), folder / "lme4.csv"):
        shutil.copyfile(file, target / file.name)
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    (target / "record.json").write_bytes(text.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--to", type=Path, default=ROOT / "data" / "r", help="where to store")
    options = parser.parse_args()
    if not shutil.which("Rscript"):
        sys.exit("There is no R: install it as r/README.md says; the pages show what is stored.")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run_all(Path(folder))
        minutes = (time.perf_counter() - start) / 60
        store(Path(folder), options.to, minutes)
    print(f"R's results are in {options.to} after {minutes:.1f} minutes.")


if __name__ == "__main__":
    main()
