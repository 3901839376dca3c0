"""Every demo as a reader runs it (those of MNIST with --quick), and then every trace that they wrote proves itself.

    python tests/all_demos.py FOLDER

The wrong engines of the bug lab are left out: their traces are wrong on purpose. Exit status 1 at the first that fails.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(*command):
    """Say what is run, run it, and stop when it fails."""
    print("==", *command, flush=True)
    if subprocess.run([sys.executable, *command], cwd=ROOT).returncode:
        sys.exit(1)


if __name__ == "__main__":
    out = Path(sys.argv[1]).resolve()
    for demo in sorted(ROOT.glob("demos/[0-9]*.py")):
        run(f"demos/{demo.name}", "--out", str(out), "--force", *(["--quick"] if "mnist" in demo.name else []))
    for trace in sorted(path.parent for path in out.rglob("run.json")):
        if trace.parent.name != "bug_lab" or trace.name.startswith("right"):
            run("-m", "micrograd_lite", "verify", str(trace))
