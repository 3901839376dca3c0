"""Every forgery of test_verify_forgeries.py as a table: what was forged, the checks that find it, and the row that they name.

    python tests/forgeries.py

What nothing in the folder can prove stands there too, with the words of the verdict's last line. Exit code 1 when one passed.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from pytest import MonkeyPatch

from micrograd_lite.verify import verify
from test_verify_forgeries import FORGED, MOMENTUM, NOT_CHECKED, SPELLED, turned_arrays, turned_run, write_run


def forged():
    """Of each forgery its name, and its folder."""
    with tempfile.TemporaryDirectory() as place:
        for number, (forge, (_, name, options)) in enumerate(FORGED.items()):
            folder = write_run(Path(place) / str(number), name, **options)
            forge(folder)
            yield forge.__name__, folder
        for forge in SPELLED:
            folder = write_run(Path(place) / forge.__name__, MOMENTUM)
            forge(folder)
            yield forge.__name__, folder
        yield "a gradient turned by 3 %, all else follows", turned_run(Path(place) / "turned")
        yield "a gradient of arrays turned by 3 %", turned_arrays(Path(place) / "turned arrays", MonkeyPatch())
        for number, (what, (forge, _, name, options)) in enumerate(NOT_CHECKED.items()):
            folder = write_run(Path(place) / f"gap{number}", name, **options)
            forge(folder)
            yield what, folder


def found(folder):
    """The checks that find something wrong, or `not checked`; and the row, or the reason."""
    try:
        report = verify(folder)
    except ValueError as error:
        return "reading", str(error)
    checks = [finding.check for finding in report.findings if finding.verdict == "wrong"]
    if checks or report.proved:
        return ", ".join(checks) or "PASSED", report.wrong
    return "not checked", "; ".join(report.unchecked)


def main():
    """Print the table."""
    passed = 0
    for name, folder in forged():
        checks, row = found(folder)
        passed += checks == "PASSED"
        print(f"{name.replace('_', ' ')} | {checks} | {row.replace(str(folder), folder.name)}", flush=True)
    print(f"{passed} forgeries passed")
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main())
