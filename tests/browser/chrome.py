"""A headless Chromium for the tests of the page: it opens files, knows no host, and tells what a page asks for and says.

What a machine lacks is named; the tests are skipped then, or fail where MICROGRAD_LITE_BROWSER=required. Of a page only
what a reader could do is used (keys, sizes, light and dark, printing), and `window.micrograd`, the page's door for tests.
"""

import base64
import json
import os
import shutil
import time
from importlib.util import find_spec
from pathlib import Path

try:
    from selenium import webdriver
    from selenium.webdriver import ActionChains, Keys
    from selenium.webdriver.chrome.service import Service
except ImportError:  # every test is skipped then, and says why
    webdriver = ActionChains = Keys = Service = None

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
REQUIRED = os.environ.get("MICROGRAD_LITE_BROWSER") == "required"

SWITCHES = (
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--force-color-profile=srgb", "--window-size=1280,900",
)  # fmt: skip
OWN = ("data:", "blob:", "about:")
"""What a page may load beside its own file: what stands in it."""


def missing():
    """What this machine lacks for these tests, in words; empty where nothing is."""
    needs = {
        "chromium (Debian: apt-get install chromium)": CHROMIUM,
        "chromedriver (Debian: apt-get install chromium-driver)": DRIVER,
        "selenium (pip install selenium)": find_spec("selenium"),
        "axe-core (npm install --prefix . --no-save axe-core)": AXE.exists(),
    }
    return ", ".join(name for name, found in needs.items() if not found)


class Chrome:
    """One browser, for as many pages as a test session opens."""

    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for switch in SWITCHES + (("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()):
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        self.driver.set_script_timeout(300)
        self.run = self.driver.execute_script
        self.asked, self.complaints, self.file, self.first = [], [], "", None

    def quit(self):
        """End the browser."""
        self.driver.quit()

    def cdp(self, command, **settings):
        """A command of the browser's own protocol."""
        return self.driver.execute_cdp_cmd(command, settings)

    def open(self, page, at="", dark=False, width=1280, height=900, scripts=True, before="", media="", ready=True):
        """Open a file as a reader who prefers light or dark, in a window so wide; wait until it says that it is ready.

        at: what follows the file's name, as `#step=7`; before: JavaScript that runs before the page's own.
        """
        if self.first:
            self.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=self.first)
        self.driver.get("about:blank")
        self.first = self.cdp("Page.addScriptToEvaluateOnNewDocument", source=before)["identifier"]
        self.cdp("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.media(dark, media)
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.listen()
        self.asked.clear()
        self.complaints.clear()
        self.file = Path(page).resolve().as_uri()
        self.driver.get(self.file + at)
        if ready and scripts:
            self.wait("return document.documentElement.dataset.ready")

    def media(self, dark, media=""):
        """The reader's setting, and `print` for paper."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def wait(self, script, seconds=10):
        """What a script returns, once that is something; TimeoutError names the script and what the page complained of."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.run(script):
                return found
            time.sleep(0.01)
        self.listen()
        raise TimeoutError(f"{script!r} stayed empty for {seconds} s; the page said: {self.complaints}")

    def listen(self):
        """Take note of what was asked for and complained of since the last time."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                what = message["params"]
                url = what.get("url") or what["request"]["url"]
                if not url.startswith(OWN) and url.partition("#")[0] != self.file:
                    self.asked.append(url)
        self.complaints += [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] != "INFO"]

    def keys(self, *keys):
        """Press keys one after the other, wherever the focus is: no mouse, no pointing at an element."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def overwrite(self, text):
        """Replace what stands in the focused field, by keys, and press Enter."""
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(text, Keys.ENTER).perform()

    def axe(self):
        """What axe-core finds: rules that pass, and each that is violated with the elements that do it."""
        self.run(AXE.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run({resultTypes: ['violations', 'passes']}).then(found => done({passes: "
            "found.passes.length, violations: found.violations.map(v => v.id + ': ' + v.help + ' ' + v.nodes.map(n => "
            "n.html.slice(0, 200) + ' (' + (n.any[0]?.message ?? '') + ')').join(' | '))}))"
        )
        return found["passes"], found["violations"]

    def overflow(self):
        """By how many pixels the page is wider than its window, and what sticks out of it."""
        return self.run(
            "const wide = document.documentElement.clientWidth;"
            "return [document.documentElement.scrollWidth - wide, [...document.body.querySelectorAll('*')]"
            ".filter(e => e.getBoundingClientRect().right > wide + 0.5).slice(0, 9).map(e => e.outerHTML.slice(0, 90))]"
        )

    def pdf(self):
        """The page as it is printed, as bytes."""
        return base64.b64decode(self.cdp("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])

    def picture(self, path):
        """A screenshot of the whole page, in a window as high as it: what is far below a window's end is not always painted."""
        width, height = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        for _ in range(3):  # a part that was not laid out before may be higher than was thought
            self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
            self.run("return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            height = self.run("return document.documentElement.scrollHeight")
        Path(path).write_bytes(base64.b64decode(self.cdp("Page.captureScreenshot", format="png")["data"]))
