"""Kernels: what a training step on arrays does between its matrix products, in C, each with one pass over memory.

NumPy goes through memory once for every operation; here a number is loaded once and everything is done with it. The formulas
are those that the arrays have: an activation's stand in its row of the derivative table, the loss is the text of the flat
program, an optimizer's are the rows below, in the order of optim.py. No fused multiply-add and no other order: where a
formula is + - * /, a square root or a choice, the bits are NumPy's; exp and the like may differ in their last digits.
"""

from __future__ import annotations

import ast

from micrograd_lite.architecture import ACTIVATIONS
from micrograd_lite.flat.formulas import formula
from micrograd_lite.flat.functions import CROSS_ENTROPY
from micrograd_lite.rules import RULES

FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared")
"""The fastest code that changes no number: errno and traps, which nobody here asks for, keep loops from being vectorised."""

BLOCK = 1024
"""Numbers of each array that stay in the nearest cache while a block is moved, and then measured."""

MOVES: dict[str, tuple[str, ...]] = {
    "sgd":      ("update = gradient * rate",),
    "momentum": ("velocity = velocity * keep + gradient", "update = velocity * rate"),
    "nesterov": ("velocity = velocity * keep + gradient", "update = (velocity * keep + gradient) * rate"),
    "rmsprop":  ("square_sum = square_sum * keep_square + gradient * gradient",
                 "update = gradient / (sqrt(square_sum) + eps) * rate"),
    "adam":     ("first_sum = first_sum * keep + gradient",
                 "second_sum = second_sum * keep_square + gradient * gradient",
                 "update = first_sum / (sqrt(second_sum) + eps) * rate"),
}  # fmt: skip
"""What each optimizer of optim.py does to one number: fading sums are kept, and an update is made of them."""

DECAYS = {
    "": ((), ()),
    "_decayed": (("gradient = value * decay + gradient",), ()),
    "_decoupled": ((), ("update = update - value * decay",)),
}
"""What weight decay adds before and after: nothing, to the gradient, or to the update (AdamW)."""

HEAD = """\
#include <tgmath.h>  /* exp is expf of a float */
#if __FLT_EVAL_METHOD__ != 0
#error "this processor computes in another precision than NumPy"
#endif
typedef %s real;

/* x0 * x0 + x1 * x1 + ..., in 32 sums side by side. */
static double squares(const real *x, long size)
{
    real lanes[32] = {0};
    double total = 0.0;
    long k = 0, lane;
    for (; k + 32 <= size; k += 32) for (lane = 0; lane < 32; lane++) lanes[lane] += x[k + lane] * x[k + lane];
    for (; k < size; k++) lanes[0] += x[k] * x[k];
    for (lane = 0; lane < 32; lane++) total += lanes[lane];
    return total;
}

%s
/* The costs of a batch, and their slopes times share; 1 where a label is no column. */
int costs(long rows, long columns, const real *logits, const long *labels, real share, real *costs, real *slopes)
{
    long i, j;
    for (i = 0; i < rows; i++) {
        if (cross_entropy(logits + i * columns, columns, labels[i], costs + i, slopes + i * columns)) return 1;
        for (j = 0; j < columns; j++) slopes[i * columns + j] *= share;
    }
    return 0;
}

/* The way back: upstream becomes the slope toward the sums; its columns, added up, are that toward the bias. */
void back(long rows, long columns, real *restrict upstream, const real *restrict partial, real *restrict bias)
{
    long i, j;
    for (j = 0; bias && j < columns; j++) bias[j] = 0;
    for (i = 0; i < rows; i++, upstream += columns) {
        if (partial) for (j = 0; j < columns; j++) upstream[j] *= partial[i * columns + j];
        if (bias) for (j = 0; j < columns; j++) bias[j] += upstream[j];
    }
}
"""

FORWARD = """
/* sums = %(name)s(sums + bias), and its partials there. */
void %(name)s_forward(long rows, long columns, real *restrict sums, const real *restrict bias, const real *restrict slope,
        real *restrict partial0, real *restrict partial1)
{
    long i, j;
    for (i = 0; i < rows; i++) for (j = 0; j < columns; j++) {
        const long k = i * columns + j;
        const real x = sums[k] + bias[j]%(learned)s;
        const real z = %(value)s;
        sums[k] = z;
%(partials)s
    }
}
"""

MOVE = """
/* A step's updates, and their squared length. */
double %(name)s(long size, const real *restrict gradients, const real *restrict values, real *restrict updates,
        real *restrict sums0, real *restrict sums1, const double *numbers)
{
    const real %(numbers)s;
    double total = 0.0;
    long start, k;
    for (start = 0; start < size; start += %(block)d) {
        const long stop = start + %(block)d < size ? start + %(block)d : size;
        for (k = start; k < stop; k++) {
            real gradient = gradients[k], update%(loads)s;
%(lines)s
            updates[k] = update;%(stores)s
        }
        total += squares(updates + start, stop - start);
    }
    return total;
}
"""

NUMBERS = ("rate", "eps", "keep", "keep_square", "decay", "faded")
"""The numbers of a move, in the order in which its kernel finds them; a running sum smaller than `faded` becomes 0."""

BY_NUMPY = ("linear", "tanh", "sin")
"""Activations without a kernel: the C library's tanh takes 22 ns a number where NumPy's, which does several at once, takes 3."""


def kernels_text(real: str) -> str:
    """All kernels in C, for numbers that are `float` or `double` there."""
    sample = CROSS_ENTROPY.replace("double", "real").replace("real label", "double label")
    forward = [_forward(name) for name in ACTIVATIONS if name not in BY_NUMPY]
    moves = [_move(name, decay) for name in MOVES for decay in DECAYS if decay != "_decoupled" or name == "adam"]
    return "".join((HEAD % (real, sample), *forward, *moves))


class _Typed(ast.NodeTransformer):
    """A written number takes the type of the arrays: 0.5 would make double of float."""

    def visit_Constant(self, number: ast.Constant) -> ast.AST:
        return ast.Name(f"(real){float(number.value)!r}")  # type: ignore[arg-type]


def spelled(text: str) -> str:
    """A formula in C."""
    return formula(_Typed().visit(ast.parse(text, mode="eval").body), str)


def _forward(name: str) -> str:
    rule = RULES[name]
    partials = [f"        partial{place}[k] = {spelled(partial)};" for place, partial in enumerate(rule.partials)]
    learned = ", a = slope[j]" if "a" in rule.inputs else ""
    return FORWARD % {"name": name, "learned": learned, "value": spelled(rule.value), "partials": "\n".join(partials)}


def _move(name: str, decay: str) -> str:
    before, after = DECAYS[decay]
    lines = [line.split(" = ") for line in (*before, *MOVES[name], *after)]
    sums = list(dict.fromkeys(target for target, _ in lines if target not in ("gradient", "update")))
    lines = [*([kept, f"0.0 if abs({kept}) < faded else {kept}"] for kept in sums), *lines]
    used = {word for _, text in lines for word in text.replace("(", " ").replace(")", " ").split()}
    numbers = ", ".join(f"{number} = numbers[{place}]" for place, number in enumerate(NUMBERS) if number in used)
    loads = (", value = values[k]" if decay else "") + "".join(f", {kept} = sums{place}[k]" for place, kept in enumerate(sums))
    return MOVE % {
        "name": f"{name}{decay}", "block": BLOCK, "numbers": numbers, "loads": loads,
        "lines": "\n".join(f"            {target} = {spelled(text)};" for target, text in lines),
        "stores": "".join(f"\n            sums{place}[k] = {kept};" for place, kept in enumerate(sums)),
    }  # fmt: skip
