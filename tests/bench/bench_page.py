"""The page in a real browser: bytes, milliseconds until it is ready and for each step that is scrubbed to, what axe-core finds.

    python tests/bench/bench_page.py        needs chromium, chromedriver, selenium and axe-core, as the tests in tests/browser do
"""

import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "browser"), str(Path(__file__).parents[2])]

from chrome import Chrome, missing  # noqa: E402
from networks import COUNT, compared  # noqa: E402
from runs import Pages  # noqa: E402

TITLES = {"xor": "xor 2-2-1, 10,000 steps", "moons": "moons 2-16-16-1, 100 steps", "iris": "iris 4-16-3, 60 steps of Adam"}
READY = "return performance.getEntriesByName('ready')[0]?.startTime"
MARK = (
    "new MutationObserver(() => document.documentElement.dataset.ready && performance.mark('ready'))"
    ".observe(document, {attributes: true, subtree: true, attributeFilter: ['data-ready']})"
)
SCRUBBED = """
const done = arguments[0], {steps, goTo} = micrograd, count = 200, times = [];
const frame = () => {
  const began = performance.now();
  goTo(steps[Math.floor(times.length * 7919 % steps.length)]);
  document.body.getBoundingClientRect();  // layout is part of it
  times.push(performance.now() - began);
  if (times.length < count) requestAnimationFrame(frame);
  else done(times.sort((one, other) => one - other));
};
requestAnimationFrame(frame)"""


def measured(chrome, pages, name):
    """One row: the run, bytes, ms until ready, ms per step (median, and 95 of 100 are below), axe light and dark."""
    page, found = pages.page(name), []
    for dark in (False, True):
        chrome.open(page, dark=dark)
        found.append(chrome.axe())
    ready = []
    for _ in range(3):
        chrome.open(page, before=MARK)
        ready.append(chrome.wait(READY))
    times = chrome.driver.execute_async_script(SCRUBBED)
    chrome.listen()
    axe = ", ".join(f"{passes} pass {len(violations)} violated" for passes, violations in found)
    return (f"| {TITLES[name]} | {page.stat().st_size:,} | {sorted(ready)[1]:.0f} | {times[len(times) // 2]:.1f} | "
            f"{times[len(times) * 95 // 100]:.1f} | {axe} | {len(chrome.asked)} |")  # fmt: skip


def main():
    """Print the table."""
    if lacking := missing():
        print(f"the page is not measured: it needs {lacking}")
        return
    print("| page | bytes | ready, ms | a step, ms | 95 of 100 steps, ms | axe light, dark | requests |")
    print("|---|---:|---:|---:|---:|---|---:|")
    chrome = Chrome()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name in TITLES:
                print(measured(chrome, Pages(Path(folder)), name), flush=True)
            numbers, worst, _ = compared(chrome, Path(folder))
            print(f"\n{COUNT} random networks, {numbers:,} values and gradients of the page:")
            print(f"at most {worst:.1e} of the size of their terms from Python's")
    finally:
        chrome.quit()


if __name__ == "__main__":
    main()
