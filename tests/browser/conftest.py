"""One browser for all pages' tests; each test's page must have asked the network for nothing and complained of nothing."""

import pytest

from chrome import REQUIRED, Chrome, missing
from runs import Pages


@pytest.fixture(scope="session")
def session():
    """The browser, or a skip (where it is required: a failure) that names what is missing."""
    if lacking := missing():
        (pytest.fail if REQUIRED else pytest.skip)(f"tests in a browser need {lacking}")
    browser = Chrome()
    yield browser
    browser.quit()


@pytest.fixture
def chrome(session):
    """The browser; when the test is over, no page of its last `open` may have asked for anything or complained."""
    yield session
    session.listen()
    assert session.asked == [], "the page asked the network"
    assert session.complaints == [], "the page complained in the console"


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """Traces and pages of many runs, by name."""
    return Pages(tmp_path_factory.mktemp("pages"))
