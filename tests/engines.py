"""The long table: every planted mistake through `micrograd-lite check`, as a student's file; then engines that others wrote.

    python tests/engines.py            every sign, the bug lab, and mistakes of our own; our own Value; micrograd where installed
    python tests/engines.py FILE...    what is said of these files, one line each

Of each mistake: was it found and rightly named, and nothing else; the lines of its counterexample; seconds. Exit code 1 when one
was not.
"""

import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import closures  # noqa: E402
from micrograd_lite.classroom.checking import check_engine  # noqa: E402

MOST_LINES, MOST_SECONDS = 3, 10.0


def timed(path):
    """What is found in a file, and how many seconds it took."""
    start = time.perf_counter()
    checked = check_engine(str(path))
    return checked, time.perf_counter() - start


def row(name, wanted, found, lines, seconds, right):
    """One line of the table."""
    print(f"{'ok' if right else 'NO':3} {name:28} {wanted:16} {', '.join(found) or '-':20} {lines:>5} {seconds:6.1f}", flush=True)


def planted(folder):
    """The table of mistakes; how many were not found, or not named rightly."""
    failed, slowest = 0, 0.0
    print(f"{'':3} {'mistake':28} {'is about':16} {'found':20} lines seconds")
    for mistake in (*closures.signs(), *closures.LAB, *closures.OWN):
        path = folder / "mine.py"
        path.write_text(mistake.planted(), encoding="utf-8")
        checked, seconds = timed(path)
        wrong = [*checked.of("wrong"), *checked.of("differs")]
        found, lines = [finding.about for finding in wrong], max((len(finding.counterexample) for finding in wrong), default=0)
        a_rule = mistake.about in (*closures.TWO, *closures.ONE, "power", "pow")
        right = found == [mistake.about] and (lines <= MOST_LINES or not a_rule)
        row(mistake.name, mistake.about, found, lines, seconds, right)
        failed, slowest = failed + (not right), max(slowest, seconds)
    print(f"{failed} not found or not rightly named; slowest {slowest:.1f} s of {MOST_SECONDS:.0f}")
    return failed


def engines(paths):
    """One line for each file: what is wrong, what differs, its limits, and what is right."""
    for path in paths:
        checked, seconds = timed(path)
        print(f"{Path(path).parent.name}/{Path(path).name}: exit {checked.code}, {seconds:.1f} s", checked.cannot)
        for kind in ("wrong", "differs", "beyond"):
            for finding in checked.of(kind):
                print(f"    {kind}: {finding.about}: {finding.sentence}; {finding.got} {finding.line}")


def main(arguments):
    """The files that are named, or everything."""
    if arguments:
        engines(arguments)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        failed = planted(Path(folder))
        plain = Path(folder) / "plain.py"
        plain.write_text(closures.RIGHT, encoding="utf-8")
        micrograd = find_spec("micrograd")
        theirs = [Path(next(iter(micrograd.submodule_search_locations))) / "engine.py"] if micrograd else []
        own = [ROOT / "micrograd_lite" / "scalar.py", plain, *theirs]
        engines(own)
        return 1 if failed or any(check_engine(str(path)).code for path in own) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
