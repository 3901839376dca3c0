"""Settings of every test: hypothesis draws the same examples everywhere and knows no clock; Ctrl-C reaches child processes."""

import os
import signal
import threading

import pytest
from hypothesis import settings

settings.register_profile("project", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("brief", settings.get_profile("project"), max_examples=25)  # `tox -e thorough` draws all
settings.load_profile(os.environ.get("MICROGRAD_LITE_EXAMPLES", "project"))

# A shell starts background jobs with SIGINT ignored, and children inherit that: tests of Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

ONCE = frozenset((
    "test_ask", "test_book", "test_bridge", "test_bugs", "test_chain", "test_check_engine", "test_checkpoint", "test_cli",
    "test_cluster", "test_colours", "test_damaged", "test_demos", "test_diagnose", "test_diff", "test_docs", "test_drawing",
    "test_explain", "test_expression", "test_files", "test_flat_c", "test_frames", "test_idx", "test_kernels", "test_kinds",
    "test_lab", "test_log", "test_mark", "test_mirror", "test_mnist", "test_mnist_training", "test_notebook", "test_page",
    "test_paths", "test_pictures", "test_pictures_array", "test_pictures_film", "test_places", "test_progress",
    "test_rebuild", "test_recipe", "test_recipes_of_data", "test_resume", "test_saving", "test_sweep", "test_table",
    "test_tables", "test_trace", "test_trace_faults", "test_trace_folder", "test_verify", "test_verify_forgeries",
    "test_verify_frauds", "test_worksheet",
))  # fmt: skip
"""Pages about files, texts, pictures and processes; the engines' numbers, and what Python might do otherwise, on each."""


def pytest_collection_modifyitems(items):
    """Mark the tests of these pages: `-m once` runs them alone, `-m "not once"` all others; `-m page` those in a browser."""
    for item in items:
        if item.path.stem in ONCE:
            item.add_marker(pytest.mark.once)
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.page)
