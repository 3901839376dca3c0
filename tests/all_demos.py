"""Every demo as a reader runs it (those of MNIST with --quick), and then every trace that they wrote proves itself.

    python tests/all_demos.py FOLDER

The wrong engines of the bug lab are left out: their traces are wrong on purpose. Exit status 1 when one fails.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(command):
    """Run one command to its end, then print it and what it said; what it returned."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print("==", *command, f"\n{done.stdout}", flush=True)
    return done.returncode


def run_all(commands):
    """As many at once as there are processors; exit status 1 when one of them fails."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        if any(list(pool.map(run, commands))):
            sys.exit(1)


if __name__ == "__main__":
    out = Path(sys.argv[1]).resolve()
    demos = sorted(ROOT.glob("demos/[0-9]*.py"))
    quick = {demo: ["--quick"] if "mnist" in demo.name else [] for demo in demos}
    run_all([f"demos/{demo.name}", "--out", str(out), "--force", *quick[demo]] for demo in demos)
    traces = sorted(path.parent for path in out.rglob("run.json"))
    run_all(["-m", "micrograd_lite", "verify", str(trace)] for trace in traces
            if trace.parent.name != "bug_lab" or trace.name.startswith("right"))  # fmt: skip
