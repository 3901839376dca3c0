"""What somebody could type into `micrograd-lite explain` to break it: each must be one line on stderr, soon, in little memory.

    python tests/hostile.py          prints a table: seconds, MB of the process, exit code, input, complaint

The process limits its own address space, so that an input that asks for more dies here.
"""

import contextlib
import io
import re
import resource
import sys
import time
from pathlib import Path

SECONDS, MEGABYTES = 1.0, 200
LOOKALIKE = "t\u0430nh(x)"  # the second letter is Cyrillic

HOSTILE = {
    "attribute": "x.real",
    "class of a number": "(1).__class__.__bases__",
    "import": "__import__(x)",
    "import and call": "__import__('os').system('true')",
    "call of open": "open(x)",
    "call of eval": "eval(x)",
    "call of a call": "tanh(x)(x)",
    "call of a number": "2(3)",
    "subscript": "x[0]",
    "list comprehension": "[x for x in (1, 2)]",
    "generator": "tanh(x for x in y)",
    "set": "{x}",
    "lambda": "lambda x: x",
    "walrus": "(x := 3)",
    "f-string": "f'{x}'",
    "string": "'x' * 10",
    "bytes": "b'x'",
    "comparison": "x < 1",
    "boolean": "x and x",
    "conditional": "x if x else x",
    "floor division": "x // 2",
    "remainder": "x % 2",
    "bits": "x & 2",
    "10,000 lines": "x=1\n" * 2_000,
    "a name that its own line uses": "x = x + 1; x",
    "an equality": "x == 2",
    "matrix product": "x @ x",
    "tower of powers": "9**9**9**9",
    "huge exponent": "2.0**1e308",
    "huge power of a power": "(10**100)**100",
    "huge number": "1e999",
    "5,000 digits": "9" * 5_000,
    "a million digits": "9" * 1_000_000,
    "complex number": "1j",
    "hexadecimal": "0x10",
    "underscores": "1_000",
    "100,000 minus signs": "-" * 100_000 + "x",
    "9,000 minus signs": "-" * 9_000 + "x",
    "900 minus signs": "-" * 900 + "x",
    "100,000 brackets": "(" * 100_000 + "x" + ")" * 100_000,
    "4,000 brackets": "(" * 4_000 + "x" + ")" * 4_000,
    "100 brackets, unclosed": "(" * 100 + "x",
    "99 calls around nonsense": "tanh(" * 99 + "x x" + ")" * 99,
    "a sum of 900 terms": "x" + "+x" * 449,
    "a tower of 400 names": "**".join("x" * 400),
    "lookalike letter": LOOKALIKE,
    "superscript": "x\u00b2",
    "minus that is no minus": "x \u2212 1",
    "invisible blank": "x\u200b + 1",
    "lone surrogate": "x\udc80",
    "null byte": "x\0",
    "newline": "x +\n1",
    "comment": "x # 1",
    "two statements": "x; x",
    "assignment": "x = 1",
    "keyword": "None",
    "keyword as a name": "x + class",
    "star argument": "maximum(*x)",
    "double star argument": "maximum(**x)",
    "keyword argument": "tanh(x=1)",
    "too few operands": "maximum(x)",
    "too many operands": "tanh(x, x)",
    "no operand": "tanh()",
    "tuple": "x, x",
    "empty": "",
    "blank": "   ",
    "empty brackets": "()",
    "function as a variable": "tanh + x",
    "unknown function": "tanhh(x)",
    "name of an unnamed node": "v1 * x",
    "division by zero": "x / (1 - 1)",
    "logarithm of a negative number": "log(0 - x)",
    "half an operation": "x *",
    "ellipsis": "...",
}


def peak():
    """The most memory that this process has held, in MB (getrusage would count what its parent held before the exec)."""
    with contextlib.suppress(OSError):
        return int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text()).group(1)) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(text):
    """Seconds, MB of the process so far, exit code and stderr of one call of the command."""
    from micrograd_lite import cli

    out, complaint = io.StringIO(), io.StringIO()
    start = time.perf_counter()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaint):
        try:
            code = cli.main(["explain", "--graph", "svg", "--", text, "x=1"])
        except SystemExit as error:
            code = error.code
    seconds = time.perf_counter() - start
    return seconds, peak(), code, out.getvalue() + complaint.getvalue()


def main():
    """One line for each input; exit code 1 if any of them breaks a promise."""
    resource.setrlimit(resource.RLIMIT_AS, (4 * MEGABYTES * 2**20,) * 2)
    broken = 0
    for name, text in HOSTILE.items():
        seconds, megabytes, code, complaint = measured(text)
        good = code == 2 and complaint.startswith("error: ") and complaint.count("\n") == 1 and complaint.isascii()
        good = good and seconds < SECONDS and megabytes < MEGABYTES and len(complaint) < 400 and complaint.endswith("\n")
        broken += not good
        print(f"{'' if good else 'BROKEN '}{seconds:.3f} s  {megabytes:3.0f} MB  exit {code}  {name}: {complaint.strip()[:200]}")
    print(f"{len(HOSTILE)} hostile formulas, {broken} of them broke a promise")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
