"""Kill -9 a training run, let it go on, and kill it again: the trace is that of a run which was never interrupted.

    python tests/kills.py --rounds 300 --seed 0

Each round draws a run (scalar, flat or on arrays; optimizer, batches, what is recorded how often) and trains it once in
peace. Then processes train it in another folder, each going on where the one before it was killed: at a random moment,
seen from outside, or at a random call of the code that writes the trace. The last one finishes. Every file but
environment.json must have the same bytes, and `micrograd-lite verify` must agree. Exit status 1 when one does not.
"""

import argparse
import contextlib
import importlib.util
import io
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: a process with threads does not fork well
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from micrograd_lite import MLP, SGD, Adam, AdamW, RMSprop, Tracer, cli, cross_entropy, data, train  # noqa: E402
from micrograd_lite.trace.folder import CHECKPOINTS, ENVIRONMENT, METRICS, read_run  # noqa: E402

KINDS = ("scalar", "flat", "arrays")
OPTIMIZERS = (lambda: SGD(0.1), lambda: SGD(0.1, momentum=0.9), lambda: RMSprop(0.01), lambda: Adam(0.01), lambda: AdamW(0.01))
FLOWERS = data.iris()._replace(inputs=data.iris().inputs[::5], targets=data.iris().targets[::5])
WRITING = (os.sep.join(("micrograd_lite", "trace", "")), os.sep.join(("micrograd_lite", "text", "files.py")))
"""Where the code stands that writes a trace."""


class Plan(NamedTuple):
    """One run: its kind, what it is trained with, and what the Tracer keeps of it."""

    kind: str
    dtype: str
    optimizer: Any
    training: dict[str, Any]
    kept: dict[str, Any]

    @property
    def steps(self):
        """How many steps the whole run has."""
        return self.training["epochs"] * -(-len(FLOWERS.inputs) // self.training["batch_size"])


def drawn(kind, random):
    """A small run of that kind, of 12 to 60 steps."""
    training = {
        "epochs": random.randint(3, 5), "batch_size": random.choice([3, 7, 10]), "seed": random.randrange(100),
        "evaluate_every": random.choice([None, 4]), "test": random.choice([None, FLOWERS]),
    }  # fmt: skip
    if kind != "arrays":
        training |= {"chain_rule": random.choice([(), (1, 5)]), "by_sample": random.choice([(), (2, 9)])}
    kept = {"every": random.choice([1, 1, 3, 4]), "checkpoint_every": random.randint(1, 6)}
    kept["weights_every"] = random.choice([None, 1, 3, 5]) if kind == "arrays" else None
    dtype = random.choice(["float32", "float64"])
    return Plan(kind, dtype, random.choice(OPTIMIZERS), training, kept)


def state(folder):
    """What run.json says of the run's state, None where there is no run yet."""
    return read_run(folder)["status"] if (folder / "run.json").exists() else None


def trained(folder, plan):
    """Train the run in that folder to its end: from its checkpoint where there is one, else from the beginning."""
    if state(folder) == "finished":
        return  # its process was killed after its last file was in place
    if plan.kind == "arrays":
        from micrograd_lite import arrays

        net = arrays.MLP(4, [4, 3], "tanh", dtype=plan.dtype, seed=2)
    else:
        net = MLP(4, [4, 3], "tanh", seed=2)
    resume = any((folder / name).exists() for name in CHECKPOINTS)
    engine = {"engine": "flat"} if plan.kind == "flat" else {}
    with Tracer(folder, **plan.kept, resume=resume, force=not resume) as tracer:
        settings = {**plan.training, **engine, "loss": cross_entropy, "optimizer": plan.optimizer()}
        for _ in tracer.follow(train(net, FLOWERS, resume=tracer.checkpoint, **settings)):
            pass


class Calls:
    """Counts the calls of the code that writes the trace; at the one numbered `last` the process kills itself."""

    def __init__(self, last=None):
        self.count, self.last = 0, last

    def __call__(self, frame, event, called):
        """What sys.setprofile wants: told of each call, of Python's own functions too."""
        if event in ("call", "c_call") and any(place in frame.f_code.co_filename for place in WRITING):
            self.count += 1
            if self.count == self.last:
                os.kill(os.getpid(), signal.SIGKILL)


def killed(folder, plan, moment=None, call=None):
    """Train in a process of its own that dies after `moment` seconds or at that call, and is whole without either.

    Was it killed? RuntimeError with the complaint of a process that failed instead.
    """
    complaint = folder.with_suffix(".error")
    child = os.fork()
    if not child:
        code = 1
        try:
            sys.setprofile(Calls(call) if call else None)
            trained(folder, plan)
            code = 0
        except BaseException:
            sys.setprofile(None)
            complaint.write_text(traceback.format_exc())
        finally:
            os._exit(code)
    if moment is not None:
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError(complaint.read_text().splitlines()[-1])
    return os.WIFSIGNALED(status)


def where(folder, plan):
    """What a killed process had reached."""
    if not any((folder / name).exists() for name in CHECKPOINTS):
        return "before a checkpoint"
    rows = (folder / METRICS).read_bytes().count(b"\n") - 1
    return "after the last step" if rows >= plan.steps else "between"


def one_round(room, kind, random, moments):
    """Train in peace, then under kills, whose moments are counted; what is wrong with the second trace, or None."""
    plan, whole, restless = drawn(kind, random), room / "whole", room / "restless"
    start, calls = time.perf_counter(), in_peace(whole, plan) if random.random() < 0.5 else 0
    if not calls:
        killed(whole, plan)
    seconds, hits, wanted = time.perf_counter() - start, 0, random.randint(1, 3)
    while hits < wanted and state(restless) != "finished":
        share = random.random() * (random.random() if hits else 1.0)  # a run that goes on has less to do
        if killed(restless, plan, **({"call": 1 + int(share * calls)} if calls else {"moment": share * seconds})):
            hits += 1
            moments[where(restless, plan)] += 1
        elif not hits:
            shutil.rmtree(restless)  # it was whole before the kill came: again
    killed(restless, plan)
    return difference(whole, restless) or refusal(restless)


def in_peace(folder, plan):
    """Train the run at one go in this process; returns the number of calls of the code that writes the trace."""
    calls = Calls()
    sys.setprofile(calls)
    try:
        trained(folder, plan)
    finally:
        sys.setprofile(None)
    return calls.count


def difference(whole, restless):
    """Which files of two traces differ, in a sentence; None when they are the same, but for the one that tells the time."""
    contents = []
    for folder in (whole, restless):
        paths = [path for path in folder.rglob("*") if path.is_file() and path.name != ENVIRONMENT]
        contents.append({str(path.relative_to(folder)): path.read_bytes() for path in paths})
    expected, got = contents
    differing = sorted(name for name in expected.keys() | got.keys() if expected.get(name) != got.get(name))
    return f"{', '.join(differing)} differ" if differing else None


def refusal(folder):
    """What `micrograd-lite verify` has against a trace; None when it agrees."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = cli.main(["verify", str(folder)])
    return f"verify exits {code}: {out.getvalue().splitlines()[-1]}" if code else None


def rounds_of(kind, seed, numbers):
    """Do these rounds of one kind and print its line; returns the number of findings."""
    start, moments, findings = time.perf_counter(), Counter(), []
    for number in numbers:
        with tempfile.TemporaryDirectory(prefix="kills-") as room:
            try:
                said = one_round(Path(room), kind, random.Random(f"{seed} {kind} {number}"), moments)
            except (RuntimeError, OSError, ValueError) as error:
                said = f"{type(error).__name__}: {error}"
        if said:
            findings.append(f"  {kind}, seed {seed}, round {number}: {said}")
    told = ", ".join(f"{count} {moment}" for moment, count in sorted(moments.items()))
    print(f"{kind}: {len(numbers)} runs killed {sum(moments.values())} times ({told}), {len(numbers) - len(findings)} traces "
          f"equal and verified, {len(findings)} findings, {time.perf_counter() - start:.0f} s", *findings, sep="\n", flush=True)
    return len(findings)


def main(arguments=None):
    """One line for each kind; 1 when a trace is not that of a run never interrupted, or is not verified."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    kinds = KINDS if importlib.util.find_spec("numpy") else KINDS[:-1]  # there are no arrays without NumPy
    findings = [rounds_of(kind, options.seed, range(place, options.rounds, len(kinds))) for place, kind in enumerate(kinds)]
    return 1 if any(findings) else 0


if __name__ == "__main__":
    sys.exit(main())
