"""A sheet as a page to print: one HTML file for A4 and Letter, boxes to write in, or filled in as the key.

    write_whole("sheet.html", page(sheet))

A box has the name of its cell beside it, which is its row in sheet.csv. Each formula stands once, at its box.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from micrograd_lite.classroom.cells import CHAIN, FORWARD, GRADIENT, Cell
from micrograd_lite.classroom.drawing import drawing
from micrograd_lite.classroom.sheet import Sheet
from micrograd_lite.classroom.updates import terms
from micrograd_lite.text.words import markup
from micrograd_lite.trace.kinds import sizes

STYLE = """
@page{margin:11mm 13mm}
*{box-sizing:border-box}
body{font:9.5pt/1.3 system-ui,'Segoe UI','DejaVu Sans',Arial,sans-serif;color:#111;background:#fff}
body{max-width:184mm;margin:0 auto;padding:0}
h1{font-size:15pt;margin:0 0 1mm}
h2{font-size:11pt;margin:3mm 0 1mm;break-after:avoid}
p{margin:1mm 0;break-after:avoid}
.who{display:flex;gap:8mm;margin:2mm 0}
.who span{flex:1;border-bottom:.3mm solid #333;padding-top:4mm}
.given{display:flex;gap:4mm;align-items:flex-start}
.given div{flex:1 1 0;min-width:0}
.given svg{display:block;width:100%;height:auto;max-height:66mm}
svg text{text-anchor:middle;font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#111}
svg .layer{font-size:9px;fill:#444}
table{border-collapse:collapse;width:100%}
.given table{width:auto;max-width:52%}
.given.many{display:block}
.given.many table{width:100%;max-width:none}
.given.many svg{max-height:48mm}
td,th{border:.2mm solid #bbb;padding:.35mm 1.6mm;text-align:left;vertical-align:middle}
th{background:#f1f1f1;font-weight:600}
tr{break-inside:avoid}
td.name,td.formula,.code{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:8.2pt}
td.number{white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums;width:1%}
td.blank{height:6.5mm;min-width:30mm;width:30mm;padding:0 1mm 0 0;border:.5mm solid #111}
td.blank{white-space:nowrap;position:relative;text-align:right}
td.blank small{position:absolute;left:.6mm;top:.1mm;font-size:6.2pt;color:#555}
td.blank b{color:#a00000;font-size:8.2pt}
td.blank i{font-size:6.4pt;font-style:normal}
tr.node td{background:#f7f7f7;border-top:.35mm solid #555;break-after:avoid}
.small{font-size:8.2pt;color:#333}
"""

FUNCTIONS = {
    "tanh": "tanh(x) = (e^2x - 1) / (e^2x + 1)", "sigmoid": "sigmoid(x) = 1 / (1 + e^-x)", "relu": "relu(x) = x if x > 0, else 0",
    "softplus": "softplus(x) = ln(1 + e^x)", "leaky_relu": "leaky_relu(x) = x if x > 0, else 0.01 x",
    "prelu": "prelu(x, a) = x if x > 0, else a x", "elu": "elu(x) = x if x > 0, else e^x - 1", "exp": "exp(x) = e^x",
    "softmax": "softmax(x) = e^x / (the sum of e^x of all outputs)", "log": "log is the natural logarithm",
    "sin": "sin and cos of radians", "mean": "mean(a, b, ...) = (a + b + ...) / how many",
}  # fmt: skip
"""What a pocket calculator may not have."""
FEW, SHORT = 6, 5
"""So many neurons stand beside the drawing; so many terms of a sum are written out."""


def page(sheet: Sheet, key: bool = False) -> str:
    """The whole page, ASCII; key: with the numbers in the boxes, and how far from them is still right."""
    return "\n".join([
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{'Key' if key else 'Worksheet'}: {markup(subject(sheet))}</title>", f"<style>{STYLE}</style></head><body>",
        *_head(sheet, key), *_forward(sheet, key), *_chain(sheet, key), *_gradient(sheet, key), *_optimizer(sheet, key),
        "</body></html>\n",
    ])  # fmt: skip


def subject(sheet: Sheet) -> str:
    """What a sheet is about: `xor, 2-2-1 tanh, mse, SGD, step 1`."""
    run, step = sheet.numbers.lesson.run, sheet.numbers.lesson.step.number
    model, data = run["model"], run["data"]
    kinds = dict.fromkeys([*model["activation"], model["output"]])
    used = ", ".join(kind for kind in kinds if kind != "linear") or "linear"
    return f"{data['name']}, {sizes(model)} {used}, {run['loss']}, {run['optimizer']['name']}, step {step}"


def _head(sheet: Sheet, key: bool) -> list[str]:
    lesson = sheet.numbers.lesson
    model = lesson.run["model"]
    cells = {cell.row: cell for cell in sheet.numbers.of(FORWARD) if not cell.rule}
    texts = {row: sheet.shown[cell.name].text for row, cell in cells.items()}
    weights = {row: f"{row.rpartition('.')[2]} = {text}" for row, text in texts.items()}
    picture = drawing([model["inputs"], *model["outputs_per_layer"]], [*model["activation"], model["output"]],
                      lesson.run["loss"], weights)  # fmt: skip
    neurons: dict[str, dict[str, str]] = {}
    for row, text in texts.items():
        path, dot, own = row.rpartition(".")
        neurons.setdefault(path if dot else "", {})[own] = text
    rows = [f'<tr><td class="name">{markup(path or f"sample{lesson.sample}")}</td><td class="code">'
            f"{markup(', '.join(f'{name} = {text}' for name, text in sorted(own.items())))}</td></tr>"
            for path, own in sorted(neurons.items())]  # fmt: skip
    target = _label(sheet)
    given = "given many" if len(neurons) > FEW else "given"
    who = [] if key else ['<div class="who"><span>Name</span><span>Date</span></div>']
    return [
        f"<h1>{'Key: one' if key else 'One'} step of learning, by hand</h1>", f"<p>{markup(subject(sheet))}</p>", *who,
        f'<div class="{given}"><div>{picture}</div>',
        f'<table><tr><th colspan="2">Given</th></tr>{"".join(rows)}{target}</table></div>',
        f"<p>Round each result to {sheet.digits} significant digits and go on with the rounded number. "
        "The name in a box (c12) is its row in sheet.csv. In the row of a neuron, b and w0 are its own.</p>",
        f'<p class="small code">{markup("; ".join(_functions(sheet)))}</p>',
    ]


def _label(sheet: Sheet) -> str:
    """The row of a class label, which is no number of the graph."""
    if sheet.numbers.lesson.run["loss"] != "cross_entropy":
        return ""
    label = int(sheet.numbers.cost.parents[-1].data)
    return f'<tr><td class="name">target</td><td class="code">class {label}: layer output {label}</td></tr>'


def _functions(sheet: Sheet) -> list[str]:
    named = {word for cell in sheet.numbers.cells for word in re.findall(r"(\w+)\(", cell.formula)}
    return [text for name, text in FUNCTIONS.items() if name in named]


def _forward(sheet: Sheet, key: bool) -> Iterable[str]:
    yield f"<h2>1. Forward pass of sample{sheet.numbers.lesson.sample}</h2>"
    yield "<table><tr><th>number</th><th>formula</th><th>value</th></tr>"
    for cell in sheet.numbers.of(FORWARD):
        if cell.formula:
            yield f'<tr><td class="name">{markup(cell.row)}</td>{_formula(cell.formula)}{_number(sheet, cell, key)}</tr>'
    yield "</table>"


def _chain(sheet: Sheet, key: bool) -> Iterable[str]:
    yield "<h2>2. Backward pass: the chain rule, edge by edge</h2>"
    numbers, several = sheet.numbers, any(cell.column == "total" for cell in sheet.numbers.of(CHAIN))
    total = "; where a number is used twice its shares add up to its total" if several else ""
    yield f"<p>share = partial x upstream. A number's upstream is the share that it got{total}. The cost's upstream is 1.</p>"
    head = '<th>goes to</th><th>partial: formula</th><th>partial</th><th>share</th>' + ("<th>total</th>" if several else "")
    yield f"<table><tr>{head}</tr>"
    for group in numbers.groups:
        upstream = _told(sheet, numbers.at(group.upstream), key) if group.upstream else "1"
        words = f'from <b class="code">{markup(group.node)}</b>, upstream {upstream}'
        yield f'<tr class="node"><td colspan="{5 if several else 4}">{words}</td></tr>'
        for edge in group.edges:
            partial, share = numbers.at(edge.partial), numbers.at(edge.share)
            row = f'<td class="name">{markup(edge.parent)}</td>{_formula(partial.formula)}'
            row += _number(sheet, partial, key) + _number(sheet, share, key)
            if several:
                row += _number(sheet, numbers.at(edge.total), key) if edge.total else '<td class="number"></td>'
            yield f"<tr>{row}</tr>"
    yield "</table>"


def _gradient(sheet: Sheet, key: bool) -> Iterable[str]:
    weight = sheet.numbers.weight
    yield f'<h2>3. The gradient of <span class="code">{markup(weight)}</span> over all samples</h2>'
    yield "<table><tr><th>of</th><th>slope of its cost, or formula</th><th>number</th></tr>"
    for cell in sheet.numbers.of(GRADIENT):
        name = f"gradient of {cell.row}" if cell.column == "gradient" else cell.row
        yield f'<tr><td class="name">{markup(name)}</td>{_formula(cell.formula)}{_number(sheet, cell, key)}</tr>'
    yield "</table>"


def _optimizer(sheet: Sheet, key: bool) -> Iterable[str]:
    numbers = sheet.numbers
    settings, number = numbers.lesson.run["optimizer"], numbers.lesson.step.number
    moved = {name: row for name, row in numbers.moved.items() if name != "lr"}
    rate = sheet.shown[numbers.moved["lr"]["value"]].text
    yield f"<h2>4. The step of {markup(settings['name'])}, learning rate lr = {rate}</h2>"
    yield "<table><tr><th></th><th>formula</th>" + "".join(f'<th class="code">{markup(name)}</th>' for name in moved) + "</tr>"
    formulas = dict(terms(settings, number))
    for term in next(iter(moved.values())):
        if term != "lr":
            row = "".join(_number(sheet, numbers.at(cells[term]), key) for cells in moved.values())
            yield f'<tr><td class="name">{term}</td>{_formula(formulas.get(term, ""))}{row}</tr>'
    yield "</table>"


def _formula(formula: str) -> str:
    return f'<td class="formula">{pretty(formula)}</td>'


def pretty(formula: str) -> str:
    """A formula as a book prints it, as HTML: a cross for *, a raised exponent, no parentheses around a leading sign."""
    inner = formula[1:-1]
    if formula.startswith("(-") and formula.endswith(")") and inner.find(")") >= inner.find("("):
        formula = inner
    terms_of = formula.split(" + ")
    if len(terms_of) > SHORT + 1 and "(" not in formula:
        formula = " + ".join([*terms_of[:3], "...", terms_of[-1]])
    made = markup(formula.replace(" * ", " \u00d7 ").replace("<=", "\u2264"))
    return re.sub(r" \*\* (\w+)", r"<sup>\1</sup>", made)


def _told(sheet: Sheet, cell: Cell, key: bool) -> str:
    """A number inside of a sentence: itself, or where it is to be found."""
    name = sheet.source.get(cell.name, cell.name)
    printed = sheet.shown[name]
    return printed.text if key or not printed.blank else f"your {name}"


def _number(sheet: Sheet, cell: Cell, key: bool) -> str:
    """A number's place in a table: a box, or the number, or the box where it is found."""
    printed = sheet.shown.get(cell.name)
    if printed is None:
        return f'<td class="number small">as {sheet.source[cell.name]}</td>'
    if not printed.blank:
        return f'<td class="number">{printed.text}</td>'
    inside = f"<b>{printed.text}</b> <i>&#177;{printed.tolerance:.1g}</i>" if key else ""
    return f'<td class="blank"><small>{cell.name}</small>{inside}</td>'
