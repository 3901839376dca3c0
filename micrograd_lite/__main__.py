"""`python -m micrograd_lite` is the command `micrograd-lite`; the console script starts here, too.

Nothing is loaded above the guard: who presses Ctrl-C while modules load gets the same line and exit code as later.
"""

import sys

INTERRUPTED = 130


def run() -> None:
    """The console script."""
    try:
        from micrograd_lite.cli import main

        code = main()
    except KeyboardInterrupt:
        code = _interrupted()
    except Exception as error:
        if not _comes_from_ctrl_c(error):  # a class that was being made turns it into another error
            raise
        code = _interrupted()
    sys.exit(code)


def _interrupted() -> int:
    sys.stderr.write("interrupted\n")
    return INTERRUPTED


def _comes_from_ctrl_c(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


if __name__ == "__main__":
    run()
