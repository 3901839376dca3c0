"""The Pythons of this machine, for tests that run a program on each of them."""

import os
import platform
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.10", "3.11", "3.12", "3.13")


def interpreter(version):
    """The first python of that version on PATH that runs (a pyenv shim may stand there and refuse), or None."""
    if platform.python_version().startswith(f"{version}."):
        return sys.executable
    for folder in os.get_exec_path():
        candidate = Path(folder, f"python{version}")
        if candidate.is_file():
            asked = subprocess.run([candidate, "--version"], capture_output=True, text=True)
            if asked.stdout.startswith(f"Python {version}."):
                return str(candidate)
    return None
