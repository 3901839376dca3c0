"""Traces that are damaged at random, and every command on them: a sentence each time, and no changed number goes unseen.

    python tests/fuzz.py --rounds 20000 --seed 0
    python tests/fuzz.py --rounds 20000 --seed 0 --jobs 2
    python tests/fuzz.py --seed 0 --only 4711                    one round again

A round takes a trace (scalar or flat, SGD or Adam, arrays of either float, with every table), flips, cuts, swaps or replaces
bytes, lines, cells or JSON fields of one file, or puts a pipe, a link or a folder in its place, and runs show, diff,
diagnose, verify, flat, predict, now and then render, and resuming. A finding is: an exception, more than one line on stderr,
a control character, more than 10 s or 1 GB, a file that changed, or a changed number that verify neither catches nor names.
Prints each finding with what was changed, and a summary; exit code 1 when there was one.
"""

import argparse
import contextlib
import csv
import faulthandler
import io
import json
import math
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
import zipfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from random import Random

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hostile_checkpoints import hurt_array, hurt_bytes, hurt_json, put_kind
from micrograd_lite import MLP, SGD, Adam, AdamW, RMSprop, Tracer, binary_cross_entropy, cross_entropy, mse, train
from micrograd_lite.cli import guarded, parser
from micrograd_lite.data import Dataset
from micrograd_lite.text.npz import read_arrays

SECONDS, MEGABYTES = 10.0, 1024
PAIRS = Dataset("pairs", [[0.1, -0.5], [0.7, 0.2], [-0.3, 0.9]], [0, 1, 1], classes=2)
DETAILS = {"chain_rule": (1, 3), "by_sample": (2,), "change_every": 1, "evaluate_every": 1, "test": PAIRS}
NET = {"arguments": (2, [2, 1], "tanh"), "loss": binary_cross_entropy, "optimizer": Adam, "engine": "eager", "steps": 4}
RUNS = {
    # settings of the run; those of train; those of the Tracer
    "scalar Adam, every table": (NET, DETAILS, {}),
    "flat SGD": (NET | {"arguments": (2, [2, 2], "relu"), "optimizer": SGD, "loss": cross_entropy, "engine": "flat"}, {}, {}),
    "scalar momentum, thinned": (NET | {"arguments": (2, [2, 1], "prelu"), "optimizer": lambda lr: SGD(lr, momentum=0.9),
                                        "loss": mse}, {"chain_rule": (2,)}, {"every": 2}),
    "batches, checkpoint.json": (NET | {"arguments": (2, [2, 2], "elu"), "optimizer": RMSprop, "loss": cross_entropy, "stop": 4},
                                 {"batch_size": 2, "epochs": 4, "by_sample": (1, 2)}, {"checkpoint_every": 2}),
    "arrays in 32 bits": (NET | {"arguments": (2, [3, 2], "relu"), "dtype": "float32", "loss": cross_entropy},
                          {"change_every": 1, "test": PAIRS}, {"weights_every": 1}),
    "arrays, checkpoint.npz": (NET | {"arguments": (2, [3, 1], "tanh"), "dtype": "float64", "optimizer": AdamW, "stop": 4},
                               {"epochs": 9}, {"weights_every": 1, "checkpoint_every": 2}),
}  # fmt: skip
WORDS = (
    "", "nan", "NaN", "inf", "-inf", "1e308", "-1e308", "5e-324", "0.0", "-0.0", "1", "-1", "1_0", "1e999", "9" * 30, "9" * 5000,
    "\uff11", "x", "=1+1", '"', "\x1b[2J", "\u202e", "<script>", "layer0.neuron0.w0", "step", "0x10", " 1", "\0", "exp(x)",
)  # fmt: skip


class Hang(BaseException):
    """A command has run for too long."""


def write(folder, kind):
    """Train one of the runs."""
    run, told, kept = RUNS[kind]
    if "dtype" in run:
        from micrograd_lite import arrays

        net = arrays.MLP(*run["arguments"], dtype=run["dtype"])
    else:
        net, told = MLP(*run["arguments"]), {"engine": run["engine"], **told}
    steps = train(net, PAIRS, loss=run["loss"], optimizer=run["optimizer"](lr=0.1), **told)
    with contextlib.suppress(KeyboardInterrupt), Tracer(folder, **kept) as tracer:
        for step in tracer.follow(islice(steps, run["steps"])):
            if step.number == run.get("stop"):
                raise KeyboardInterrupt


# --- damage -----------------------------------------------------------------------------------------------------------


def hurt_lines(content, random):
    """Lines left out, doubled, swapped, put elsewhere, or joined with the next."""
    lines = content.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    random.choice([
        lambda: lines.pop(one), lambda: lines.insert(other, lines[one]), lambda: lines.insert(other, lines.pop(one)),
        lambda: lines.__setitem__(slice(one, one + 2), [b"".join(lines[one : one + 2])]),
        lambda: lines.__setitem__(slice(one, None), []),
        lambda: lines.__setitem__(one, b""),
    ])()  # fmt: skip
    return b"\n".join(lines)


def hurt_cells(content, random):
    """Cells of one table replaced, swapped, or moved by a little; a column renamed, left out or put elsewhere."""
    rows = list(csv.reader(content.decode().splitlines()))
    row = random.choice(rows[random.random() < 0.95 :] or rows)
    one, other = random.randrange(len(row)), random.randrange(len(row))
    below = random.choice(rows)
    how = random.randrange(10)
    if how < 4:
        row[one] = changed(row[one], random)
    elif how == 4:
        row[one] = random.choice(WORDS)
    elif how == 5:
        row[one], row[other] = row[other], row[one]
    elif how == 6:
        row[one], below[one] = below[one], row[one]
    elif how == 7:
        del row[one]
    elif how == 8:
        factor = random.choice([1.03, -1.0, 0.0, 1e300])
        for each in rows[1:]:
            with contextlib.suppress(ValueError):
                each[one] = repr(float(each[one]) * factor)
    else:
        for each in rows:
            each[one], each[other] = each[other], each[one]
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows(rows)
    return made.getvalue().encode("utf-8", "surrogatepass")


def changed(cell, random):
    """Another number for a number, by much or by little."""
    try:
        number = float(cell)
    except ValueError:
        return random.choice(WORDS)
    if cell.isdecimal():
        return str(int(cell) + random.choice([-1, 1, 2, 10**6]))
    return repr(random.choice([number + 1.0, number * 1.01, -number, number * 1e6, number + 1e-3, 0.0, number * (1 + 1e-6)]))


def hurt_number(content, random):
    """One number of a JSON file, moved."""
    record = json.loads(content)
    leaves = [(place, key) for place, key in holders(record) if type(place[key]) in (int, float)]
    place, key = random.choice(leaves)
    number = place[key]
    place[key] = number + random.choice([-1, 1, 2, 1000]) if type(number) is int else float(changed(repr(number), random))
    return json.dumps(record).encode()


def holders(record):
    """Each leaf as the list or dict that holds it, and its place there."""
    waiting = [record]
    while waiting:
        place = waiting.pop()
        for key in place if isinstance(place, dict) else range(len(place)):
            if isinstance(place[key], (dict, list)):
                waiting.append(place[key])
            else:
                yield place, key


def hurt_npz(content, random):
    """One entry hurt inside, renamed, left out, doubled or packed; or the zip file hurt as bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        entries = [(name, file.read(name)) for name in file.namelist()]
    place, how, method = random.randrange(len(entries)), random.randrange(7), zipfile.ZIP_STORED
    name, inside = entries[place]
    if how < 2:
        entries[place] = name, hurt_json(inside, random) if name.endswith(".json") else hurt_array(inside, random)
    elif how == 2 and not name.endswith(".json"):
        start = len(inside) - 4
        entries[place] = name, inside[:start] + random.randbytes(4)
    elif how == 3:
        entries[place] = random.choice(["layer9.w.npy", "../x.npy", "parameters.npy", "a\x1bb.npy", "layer0.w.npy"]), inside
    elif how == 4:
        entries.pop(place) if random.random() < 0.5 else entries.append((name, inside))
    elif how == 5:
        method = random.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
        entries[place] = name, inside + bytes(random.choice([0, 10, 1_000_000]))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        for name, inside in entries:
            file.writestr(zipfile.ZipInfo(name), inside, compress_type=method)
    return hurt_bytes(made.getvalue(), random) if how == 6 else made.getvalue()


def hurt(path, random):
    """Damage one file; returns a word for how, or "" when it is no regular file any more."""
    content = path.read_bytes()
    if random.random() < 0.01:
        put_kind(path, random)
        return "kind"
    ways = {".csv": (hurt_cells, hurt_cells, hurt_lines, hurt_bytes), ".json": (hurt_json, hurt_number, hurt_number, hurt_bytes),
            ".npz": (hurt_npz,)}[path.suffix]  # fmt: skip
    way = random.choice(ways)
    path.write_bytes(way(content, random))
    return way.__name__


# --- what has changed -------------------------------------------------------------------------------------------------


def numbers_of(name, content):
    """Every number in a file by its place; None when the file cannot be read as such."""
    try:
        if name.endswith(".csv"):
            rows = list(csv.reader(content.rpartition(b"\n")[0].decode().split("\n")))
            found = {}
            for place, row in enumerate(rows[1:]):
                found |= {(f"{name} {column}", place): read(cell) for column, cell in zip(rows[0], row, strict=True)}
            return found
        if name.endswith(".json"):
            record, found, waiting = json.loads(content), {}, []
            waiting.append((name, record))
            while waiting:
                path, entry = waiting.pop()
                if isinstance(entry, (dict, list)):
                    waiting += [(f"{path}.{key}", inner) for key, inner in
                                (entry.items() if isinstance(entry, dict) else enumerate(entry))]  # fmt: skip
                elif type(entry) in (int, float):
                    found[path, 0] = float(entry)
            return found
        with tempfile.NamedTemporaryFile() as file:
            Path(file.name).write_bytes(content)
            arrays = read_arrays(Path(file.name), 100)
            return {(f"{name} {array}", place): number for array in arrays for place, number in enumerate(arrays[array].numbers)}
    except (ValueError, OverflowError, RecursionError, LookupError, csv.Error):
        return None


def read(cell):
    """A cell as a number, or None."""
    try:
        return float(cell)
    except ValueError:
        return None


def moved(before, after, room):
    """Where numbers differ by more than rounding; "all" when the file has others, or cannot be compared."""
    if before is None or after is None:
        return []
    places = []
    for place in before:
        one, other = before[place], after.get(place)
        if one is None:
            continue
        if other is None or (one != other and not (one != one and other != other) and
                             not math.isclose(one, other, rel_tol=room, abs_tol=room)):  # fmt: skip
            places.append(place[0])
    return sorted(set(places))


NOT_A_NUMBER = (
    "environment.json",  # versions and seconds: the one file that may differ between equal runs
)


# --- a round ----------------------------------------------------------------------------------------------------------


class Fuzzer:
    """The traces, written once, and the commands, parsed once."""

    def __init__(self, room):
        self.room = Path(room)
        self.intact, self.gaps, self.files, self.numbers = {}, {}, {}, {}
        made = parser()
        for number, kind in enumerate(RUNS):
            box = self.room / str(number)
            (box / "inner").mkdir(parents=True)
            (box / "victim.txt").write_text("mine\n")
            folder = box / "inner" / "run"
            write(folder, kind)
            shutil.copytree(folder, self.room / f"{number}.intact")
            (folder / "run.lock").unlink(missing_ok=True)
            self.files[kind] = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
                                if path.is_file() and path.name not in NOT_A_NUMBER}  # fmt: skip
            self.numbers[kind] = {name: numbers_of(name, content) for name, content in self.files[kind].items()}
            lines = {"show": ["show", folder], "chain": ["show", folder, "--chain", "--format", "markdown"],
                     "diff": ["diff", self.room / f"{number}.intact", folder], "diagnose": ["diagnose", folder],
                     "verify": ["verify", folder], "flat": ["flat", folder], "predict": ["predict", folder, "x0=0.5", "x1=1"],
                     "render": ["render", folder, "--frames", "3"]}  # fmt: skip
            self.intact[kind] = folder, {name: made.parse_args([str(word) for word in line]) for name, line in lines.items()}
            code, out, said = self.command(kind, "verify")
            if code:
                raise ValueError(f"{kind}: verify finds {out or said} in an intact trace")
            self.gaps[kind] = gaps(out)

    def command(self, kind, name):
        """Exit code, stdout, stderr; an exception or a hang comes through."""
        options, out, err = self.intact[kind][1][name], io.StringIO(), io.StringIO()
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = guarded(options.run, options)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        return code, out.getvalue(), err.getvalue()

    def one_round(self, seed, number, count):
        """What is wrong with this round, in lines."""
        random, kind = Random(f"{seed} {number}"), list(RUNS)[number % len(RUNS)]
        folder = self.intact[kind][0]
        name = random.choice([*self.files[kind], "run.json"])
        how = hurt(folder / name, random)
        count[how] += 1
        names = ["show", "chain", "diff", "diagnose", *(["flat", "predict"] if name == "run.json" else ["predict"])]
        names += ["render"] if random.random() < 0.02 else []
        found = []
        for command in ["verify", *names]:
            try:
                code, out, err = self.command(kind, command)
            except BaseException as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                found.append(f"{command}: {type(error).__name__}: {error!s:.150} ({where.filename}, line {where.lineno})")
                continue
            if code not in (0, 1, 2) or (code == 1 and command not in ("verify", "diff")):
                found.append(f"{command}: exit code {code}")
            if err.count("\n") != (code == 2) or not (err[:-1] or "x").isprintable():
                found.append(f"{command}: exit code {code}, stderr {err!a:.300}")
            if "\x1b" in out or "\x9b" in out or "more memory" in err or ("<script" in out and command == "chain"):
                found.append(f"{command}: {out!a:.100} {err!a:.300}")
            if command == "verify" and code == 0:
                found += self.unseen(kind, name, out)
        if "stop" in RUNS[kind][0]:
            found += self.resume(folder)
        found += self.restore(kind, name)
        return [f"seed {seed}, round {number}, {kind}, {how} of {name}: {said}" for said in found]

    def unseen(self, kind, name, out):
        """Numbers that have changed, where verify is content and names nothing new as not checked."""
        path = self.intact[kind][0] / name
        if not path.is_file() or gaps(out) - self.gaps[kind]:
            return []
        free = {f"run.json.{entry}" for line in out.splitlines() if line.startswith("note: not checked")
                for entry in line.rpartition(": ")[2].removesuffix(" of run.json").split(", ")}  # fmt: skip
        room = 1e-3 if RUNS[kind][0].get("dtype") == "float32" else 1e-8
        before, after = self.numbers[kind][name], numbers_of(name, path.read_bytes())
        return [f"verify does not see {place}" for place in moved(before, after, room)
                if place not in free and not any(NAMED.get(place, "nothing") in gap for gap in self.gaps[kind])]  # fmt: skip

    def resume(self, folder):
        """A run that goes on takes what is there, or refuses it in a sentence."""
        try:
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            with Tracer(folder, resume=True):
                raise InterruptedError
        except InterruptedError:
            return []
        except (ValueError, OSError) as error:
            return [] if "\n" not in str(error) else [f"resume: {error!s:.300}"]
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            return [f"resume: {type(error).__name__}: {error!s:.150} ({where.filename}, line {where.lineno})"]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)

    def restore(self, kind, name):
        """Put the file back; findings when another one was touched."""
        folder, found = self.intact[kind][0], []
        path = folder / name
        if os.path.lexists(path):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        path.write_bytes(self.files[kind][name])
        box = folder.parent.parent
        if sorted(os.listdir(box)) != ["inner", "victim.txt"] or (box / "victim.txt").read_text() != "mine\n":
            found.append("a file beside the folder has changed")
        if os.listdir(box / "inner") != ["run"]:
            found.append("there is another folder beside it")
        known = {*self.files[kind], "environment.json", "weights"}
        for each in os.listdir(folder):
            if each not in known:
                if not each.endswith((".gif", ".png")):
                    found.append(f"{each} is new in the folder")
                (folder / each).unlink()
        for other, content in self.files[kind].items():
            if (folder / other).stat().st_size != len(content):
                found.append(f"{other} has changed")
                (folder / other).write_bytes(content)
        return found


NAMED = {
    "metrics.csv gradient_norm": "lengths of gradient and update", "metrics.csv update_norm": "lengths of gradient and update",
    "metrics.csv loss": "loss", "metrics.csv measured_change": "measured_change", "metrics.csv test_loss": "test_loss",
    "layers.csv activations_flat": "flat activations",
}  # fmt: skip
"""Columns of which verify says, of the intact trace already, that it cannot check some of their rows."""


def gaps(out):
    """What the verdict names as not checked."""
    return {*out.splitlines()[-1].partition("; not checked: ")[2].split("; ")} if "; not checked: " in out else set()


def limited():
    """Memory, time, and warnings, which a user would see as lines."""
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 2**20,) * 2)
    signal.signal(signal.SIGALRM, _hang)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", module="zipfile")


def _hang(signum, frame):
    raise Hang(f"{SECONDS} s")


def fuzz(seed, numbers):
    """Rounds by number; findings, and how often each kind of damage was tried."""
    limited()
    count, found = Counter(), []
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as room:
        fuzzer = Fuzzer(room)
        for number in numbers:
            faulthandler.dump_traceback_later(20 * SECONDS, exit=True)  # where no signal is heard
            said = fuzzer.one_round(seed, number, count)
            for line in said:
                print(line, flush=True)
            found += said
        faulthandler.cancel_dump_traceback_later()
    return found, count


def main(arguments=None):
    """Findings as lines, and a summary."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--only", type=int, help="this round alone")
    given = options.parse_args(arguments)
    rounds = range(given.rounds) if given.only is None else range(given.only, given.only + 1)
    if given.jobs == 1:
        parts = [fuzz(given.seed, rounds)]
    else:
        with ProcessPoolExecutor(given.jobs) as pool:
            parts = list(pool.map(fuzz, [given.seed] * given.jobs, [rounds[job :: given.jobs] for job in range(given.jobs)]))
    found = [line for lines, _ in parts for line in lines]
    count = Counter()
    for _, each in parts:
        count += each
    told = ", ".join(f"{number} {how}" for how, number in sorted(count.items()))
    print(f"{len(rounds)} rounds with seed {given.seed} ({told}): {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
