"""Settings of every test: hypothesis draws the same examples everywhere and knows no clock; Ctrl-C reaches child processes."""

import os
import signal
import threading

from hypothesis import settings

settings.register_profile("project", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("brief", settings.get_profile("project"), max_examples=25)  # `tox -e thorough` draws all
settings.load_profile(os.environ.get("MICROGRAD_LITE_EXAMPLES", "project"))

# A shell starts background jobs with SIGINT ignored, and children inherit that: tests of Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
