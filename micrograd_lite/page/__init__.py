"""One page that is scrubbed: a trace as a single HTML file, where every step of training can be visited.

`write_page("traces/mine", "mine.html")` writes it.

    write     the one file: template, style, data and script, within a budget of bytes
    content   what of a trace goes in, and which of it the page works out again, bit for bit
    story     what the network is, what it learns and how that went, in sentences
    samples   the graph of one sample, and what each sample puts into it
    recorded  the edges of backward passes that a trace holds
    tiles     the kept weights of a network on arrays
    formulas  the derivative table in JavaScript
    notebook  the page in a notebook's cell
    packing   numbers as text, every bit of them

Beside them stand page.html, page.css and the scripts in script/, written by hand; no library is used and nothing is loaded.
"""

from micrograd_lite.page.write import page_of, write_page

__all__ = ["page_of", "write_page"]
