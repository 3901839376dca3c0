"""The browser of these tests notices what it is there to notice."""

import pytest

READY = "<script>document.documentElement.dataset.ready = 'yes'</script>"


@pytest.fixture
def page(tmp_path):
    """Writes a small page with this body; returns its path."""

    def write(body, name="page.html"):
        path = tmp_path / name
        path.write_text(f"<!doctype html><html lang=en><meta charset=utf-8><title>A page</title><main><h1>A</h1>{body}</main>")
        return path

    return write


@pytest.mark.parametrize("body, asked", [
    ("<img alt='' src='https://example.org/a.png'>", "https://example.org/a.png"),
    ("<script>fetch('https://example.org/b').catch(() => 0)</script>", "https://example.org/b"),
    ("<link rel=stylesheet href='http://example.org/c.css'>", "http://example.org/c.css"),
    ("<img alt='' src='beside.png'>", "beside.png"),
    ("<script>new WebSocket('ws://example.org/d')</script>", "ws://example.org/d"),
])  # fmt: skip
def test_a_request_is_noticed(session, page, body, asked):
    """An image, a fetch, a style sheet, a file beside the page, a socket; there is no host to answer them."""
    session.open(page(body + READY))
    session.wait("return document.readyState === 'complete'")
    session.listen()
    (url,) = session.asked
    assert url.endswith(asked)


def test_a_complaint_is_noticed(session, page):
    """An error that nobody catches, and a word to console.error."""
    session.open(page(READY + "<script>console.error('so'); throw new Error('and so')</script>"))
    session.listen()
    assert [said.split()[-1] for said in session.complaints] == ['"so"', "so"]


def test_a_page_that_never_gets_ready_is_named(session, page):
    """With what it complained of."""
    session.open(page("<script>throw new Error('lost')</script>"), ready=False)
    with pytest.raises(TimeoutError, match=r"dataset.ready' stayed empty for 0.1 s; the page said: .*lost"):
        session.wait("return document.documentElement.dataset.ready", seconds=0.1)


def test_axe_and_the_ruler_can_fail(session, page):
    """A slider without a name is a violation; a wide line is an overflow; a page without either has neither."""
    session.open(page(f"<p style='width: 700px'>wide</p><input type=range>{READY}"), width=360)
    passes, violations = session.axe()
    over, who = session.overflow()
    assert passes and [found.split(":")[0] for found in violations] == ["label"] and over > 300 and "wide" in who[0]
    session.open(page(f"<p>narrow</p>{READY}"), width=360)
    assert session.axe()[1] == [] and session.overflow() == [0, []]


def test_settings_reach_the_page(session, page):
    """Dark and light, print, a script before all others, the address, no scripts."""
    script = "[matchMedia('(prefers-color-scheme: dark)').matches, matchMedia('print').matches, window.early, location.hash]"
    path = page(f"<p>text</p><script>document.querySelector('p').textContent = JSON.stringify({script})</script>{READY}")
    seen = []
    for settings in ({"dark": True}, {"media": "print", "before": "window.early = 1"}, {"at": "#step=7"}):
        session.open(path, **settings)
        seen.append(session.driver.find_element("css selector", "p").text)
    assert seen == ['[true,false,null,""]', '[false,true,1,""]', '[false,false,null,"#step=7"]']
    session.open(path, scripts=False)
    assert session.driver.find_element("css selector", "p").text == "text"
