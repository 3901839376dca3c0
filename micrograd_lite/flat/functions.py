"""Functions: what every program in C begins and ends with, and the names that it therefore takes.

Python's mathematics calls the C library, so C calls the same functions; where Python, or the engine, means something else
(0 ** -1, a NaN exponent, the sign of %), it is written out. No header is included: its names would be taken, too.
"""

from __future__ import annotations

import re

TAKEN = frozenset(re.findall(r"\w+", """
    asm auto bool break case char const constexpr continue default do double else enum extern false float for fortran goto
    if inline int linux long nullptr register restrict return short signed sizeof static static_assert struct switch
    thread_local true typedef typeof typeof_unqual union unix unsigned void volatile i386 while INFINITY NAN p g x t v s k
    calm share losses logits slopes exp log sqrt sin cos tanh expm1 log1p fabs pow fmod copysign power modulo
    cross_entropy moderate sample program
"""))  # fmt: skip
"""What no number may be called: C's keywords, and what the text below names."""

HEAD = """\
#if __FLT_EVAL_METHOD__ != 0
#error "this processor computes in another precision than Python"
#endif
#define INFINITY (1.0 / 0.0)
#define NAN (0.0 / 0.0)

double exp(double), log(double), sqrt(double), sin(double), cos(double), tanh(double), expm1(double), log1p(double);
double fabs(double), pow(double, double), fmod(double, double), copysign(double, double);

/* The engine's pow: NaN for a NaN exponent, infinite where Python's raises an error. */
static inline double power(double x, double y)
{
    double z;
    if (y != y) return y;
    if (x == 0.0 && y < 0.0) return INFINITY;
    z = pow(x, y);
    return z != z && x == x ? INFINITY : z;
}

/* Python's %: the result has the sign of y. */
static inline double modulo(double x, double y)
{
    double z = fmod(x, y);
    if (z == 0.0) return copysign(0.0, y);
    return (y < 0.0) != (z < 0.0) ? z + y : z;
}
"""

CROSS_ENTROPY = """\
/* -log softmax(x)[label], and the slope toward each x; 1 where the label is none of them. */
static inline int cross_entropy(const double *x, long size, double label, double *value, double *slopes)
{
    double rest = 0.0;
    long k, top = 0, chosen = 0;
    while (chosen < size && chosen != label) chosen++;
    if (chosen == size) return 1;
    for (k = 1; k < size; k++) if (x[k] > x[top]) top = k;
    for (k = 0; k < size; k++) slopes[k] = exp(x[k] - x[top]);
    for (k = 0; k < size; k++) if (k != top) rest += slopes[k];
    for (k = 0; k < size; k++) slopes[k] /= 1.0 + rest;
    slopes[chosen] -= 1.0;
    *value = log1p(rest) + (x[top] - x[chosen]);
    return 0;
}
"""
"""One text for one sample here and for a batch of arrays in arrays/kernels.py."""

TAIL = """
static int moderate(const double *x, long size)
{
    long k;
    for (k = 0; k < size; k++) if (!(fabs(x[k]) <= %(moderate)r)) return 0;
    return 1;
}

/* A batch, the last sample first. calm: do moderate numbers stay finite? 1 outside a domain: Python's program says which. */
int program(const double *p, double *g, const double *x, const double *t, long size, double share, int calm, double *losses,
            double *v)
{
    long k;
    calm = calm && fabs(share) <= 1.0 && moderate(p, %(p)d) && moderate(x, size * %(x)d) && moderate(t, size * %(t)d);
    for (k = 0; k < %(p)d; k++) g[k] += 0.0;  /* -0.0 + 0.0 is 0.0, as the engine starts */
    for (k = size - 1; k >= 0; k--) if (sample(p, g, x + k * %(x)d, t + k * %(t)d, share, calm, losses + k, v)) return 1;
    return 0;
}
"""

PARAMETERS = (
    "const double *restrict p, double *restrict g, const double *restrict x, const double *restrict t, double share,\n"
    "    int calm, double *restrict losses, double *restrict v"
)
