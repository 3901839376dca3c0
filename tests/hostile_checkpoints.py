"""Checkpoints that somebody has tampered with: each is refused in one sentence, and not one byte changes anywhere.

    python tests/hostile_checkpoints.py --rounds 2000 --seed 0

Each round takes a run that was interrupted, hurts its checkpoint, its run.json or the weights kept at its step at random
(bytes, JSON fields, entries of the zip file, headers of arrays, what kind of file it is) and resumes. A file may come
out of that unhurt, or with a number that nothing in the folder contradicts: then the run goes on from the same step, cut at
the same bytes, or train's settings refuse it. Exit status 1 when something else happens, or a file beside changes.
"""

import argparse
import contextlib
import copy
import importlib.util
import json
import os
import random
import resource
import shutil
import signal
import stat
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from micrograd_lite import MLP, SGD, Adam, Tracer, cross_entropy, data, train

SECONDS, MEGABYTES, STEP, VICTIM = 5.0, 1024, 8, "victim.txt"
FLOWERS = data.iris()._replace(inputs=data.iris().inputs[::5], targets=data.iris().targets[::5])
RUNS = {
    # what is hurt, and the run: on arrays?, optimizer, what the Tracer keeps, what train keeps
    "checkpoint.json": ("", Adam, {}, {}),
    "checkpoint.json between recorded steps": ("", Adam, {"every": 3}, {"chain_rule": [1, 5], "by_sample": [2]}),
    "checkpoint.json without memory": ("", SGD, {}, {}),
    "checkpoint.npz": ("float64", Adam, {"every": 3}, {}),
    "checkpoint.npz beside kept weights": ("float32", Adam, {"weights_every": 4}, {}),
    "weights/step_000008.npz": ("float64", SGD, {"weights_every": 4}, {}),
    "run.json": ("", Adam, {"every": 3}, {"chain_rule": [1, 5], "by_sample": [2]}),
    "run.json of arrays": ("float64", Adam, {"weights_every": 4}, {}),
}
HOSTILE = (
    None, True, False, 0, 1, -1, 2, STEP, 10**6, 2**63, -(2**63), 10**30, 0.0, 0.5, -1.5, 8.0, 1e308, "", "x", "8", "NaN",
    "inf", "0x10", [], [[]], {}, {"size": 1}, [0, 0], [1, 1], ["NaN"], [True, True], f"../{VICTIM}", "run.json",
    "/etc/passwd", "\u202e", "a\nb",
)  # fmt: skip
NAMES = (f"../{VICTIM}", "/etc/passwd", "run.json", "metrics.csv", "chain_rule.csv", "parameters", "\x1b[2J", "\u202e", "a\nb")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def go_on(folder, what, resume=True, stop=None):
    """Train that run, to its end or until Ctrl-C after the step `stop`."""
    dtype, optimizer, kept, told = RUNS[what]
    net = MLP(4, [3], seed=1)
    if dtype:
        from micrograd_lite import arrays

        net = arrays.MLP(4, [3], dtype=dtype, seed=1)
    settings = {"loss": cross_entropy, "optimizer": optimizer(lr=0.01), "batch_size": 10, "epochs": 4, **told}
    with Tracer(folder, **kept, checkpoint_every=4, resume=resume) as tracer:
        for step in tracer.follow(train(net, FLOWERS, resume=tracer.checkpoint, **settings)):
            if step.number == stop:
                raise KeyboardInterrupt


def hurt_bytes(content, random):
    """Some bytes flipped, left out, put in, doubled, or the end cut off."""
    made = bytearray(content)
    for _ in range(random.choice([1, 1, 2, 8])):
        start = random.randrange(len(made) + 1)
        end = min(len(made), start + random.choice([1, 2, 8, 100]))
        random.choice([
            lambda: made.__setitem__(slice(start, end), random.randbytes(end - start)),  # noqa: B023
            lambda: made.__delitem__(slice(start, end)),  # noqa: B023
            lambda: made.__setitem__(slice(start, start), random.randbytes(4)),  # noqa: B023
            lambda: made.__setitem__(slice(start, start), made[start:end] * 3),  # noqa: B023
            lambda: made.__delitem__(slice(start, None)),  # noqa: B023
        ])()  # fmt: skip
    return bytes(made)


def hurt_json(content, random):
    """One field replaced, left out, renamed, moved by a little, doubled or nested deep; or its text hurt as bytes."""
    if random.random() < 0.1:
        return hurt_bytes(content, random)
    record = json.loads(content)
    place, key = {"all": record}, "all"
    while isinstance(place[key], (dict, list)) and place[key] and (key == "all" or random.random() < 0.8):
        place = place[key]
        key = random.choice(list(place) if isinstance(place, dict) else range(len(place)))
    how = random.randrange(6)
    if how == 0:
        del place[key]
    elif how == 1 and isinstance(place, dict):
        place[random.choice(NAMES)] = place.pop(key)
    elif how == 2 and isinstance(place[key], (int, float)):
        place[key] += random.choice([-1, 1, -3, 40, 1e-9, 10**9])
    elif how == 3 and isinstance(place[key], list):
        place[key] = place[key] * 2 if random.random() < 0.5 else place[key][::-1]
    elif how == 4:
        depth = random.choice([5, 900, 100_000])
        return json.dumps(record).replace(json.dumps(place[key]), "[" * depth + "]" * depth, 1).encode()
    else:
        place[key] = copy.deepcopy(random.choice(HOSTILE))
    return json.dumps(record).encode()


def hurt_npz(content, random, path):
    """One entry hurt inside, renamed, left out or doubled, or packed in another way; or the zip file hurt as bytes."""
    path.write_bytes(content)
    with zipfile.ZipFile(path) as file:
        entries = [(name, file.read(name)) for name in file.namelist()]
    place, method, how = random.randrange(len(entries)), zipfile.ZIP_STORED, random.randrange(8)
    name, inside = entries[place]
    if how < 3:
        entries[place] = name, hurt_json(inside, random) if name.endswith(".json") else hurt_array(inside, random)
    elif how == 3:
        entries[place] = random.choice(NAMES), inside
    elif how == 4:
        entries.remove(entries[place])
    elif how == 5:
        entries.append((random.choice([*NAMES[:3], "memory.third.npy"]), inside))
    elif how == 6:
        method = random.choice(METHODS)
        entries[place] = name, inside + bytes(random.choice([0, 10, 30_000_000]))
    with zipfile.ZipFile(path, "w", method) as file:
        for name, inside in entries:
            file.writestr(zipfile.ZipInfo(name), inside, compress_type=method)
    made = path.read_bytes()
    return hurt_bytes(made, random) if how == 7 or (how == 6 and random.random() < 0.5) else made


def hurt_array(content, random):
    """The header of a .npy file replaced, or its bytes hurt."""
    changes = {"descr": (b"<f", random.choice([b"|O", b">f", b"<i", b"<c"])), "fortran": (b"False", b"True "),
               "shape": (b"(", random.choice([b"(9,", b"(-", b"((", b"(9**9**9, "]))}  # fmt: skip
    text = random.choice([*changes, "bytes", "bytes"])
    return hurt_bytes(content, random) if text == "bytes" else content.replace(*changes[text], 1)


def put_kind(path, random):
    """Something else where the file was: a link, a pipe, a folder."""
    path.unlink()
    random.choice([
        lambda: path.symlink_to("/dev/zero"), lambda: path.symlink_to(path), lambda: path.symlink_to(f"../../{VICTIM}"),
        lambda: os.mkfifo(path), lambda: path.mkdir(), lambda: None,
    ])()  # fmt: skip


def everything(box):
    """Each file with its bytes and the moment it was last written; of what is no regular file, that it is there."""
    abouts = {path: path.lstat() for path in box.rglob("*")}
    return {str(path): (path.read_bytes(), about.st_mtime_ns) if stat.S_ISREG(about.st_mode) else stat.S_IFMT(about.st_mode)
            for path, about in abouts.items()}  # fmt: skip


def one_round(box, what, random, count):
    """Hurt the file, resume, and look; what is wrong, in a sentence, or None."""
    folder = box / "inner" / "run"
    path = folder / what.split()[0]
    content = path.read_bytes()
    if random.random() < 0.02:
        put_kind(path, random)
    else:
        path.write_bytes(hurt_json(content, random) if path.suffix == ".json" else hurt_npz(content, random, path))
    signal.alarm(30)  # whoever hangs dies, and so does this script
    before, start, found = everything(box), time.perf_counter(), None
    try:
        with Tracer(folder, resume=True) as tracer:
            found = tracer.checkpoint
            raise InterruptedError  # the least that can happen to a run that could go on
    except InterruptedError:
        count["may go on from the same step"] += 1
    except (ValueError, OSError) as error:
        count["refused in a sentence"] += 1
        if "\n" in str(error) or len(str(error)) > 700 or not str(error).isprintable():
            return f"no sentence: {error!s:.900}"
    if everything(box) != before:
        return "the folder, or a file beside it, has changed"
    if (seconds := time.perf_counter() - start) > SECONDS:
        return f"it took {seconds:.1f} s"
    if found and (found.step, found.extents) != ORIGINAL[what]:
        return f"the run would go on after step {found.step}, its tables cut at {found.extents}"
    with contextlib.suppress(FloatingPointError):  # a memory of 1e308 that no table contradicts: training says so
        try:
            go_on(folder, what) if found else None
        except ValueError as error:  # "holds another run"
            return None if everything(box) == before else f"refused after the folder has changed: {error}"
    changed = [name for name, kept in everything(box).items() if before.get(name) != kept and not name.startswith(str(folder))]
    return f"{', '.join(changed)} beside the folder changed" if changed else None


ORIGINAL = {}
"""Step and extents of each run's own checkpoint."""


def boxed(room, what):
    """A folder with the interrupted run in it and a file of somebody else beside."""
    box = room / what.replace("/", " ")
    (box / "inner").mkdir(parents=True)
    (box / "inner" / VICTIM).write_text("mine\n" * 10_000)
    with contextlib.suppress(KeyboardInterrupt):
        go_on(box / "inner" / "run", what, resume=False, stop=STEP + 2)
    with Tracer(box / "inner" / "run", resume=True) as tracer:
        ORIGINAL[what] = tracer.checkpoint.step, tracer.checkpoint.extents
    return box


def rounds_of(what, seed, rounds):
    """Do so many rounds of one kind and print its line; returns the number of findings."""
    count, findings = Counter(), []
    with tempfile.TemporaryDirectory(prefix="hostile-") as room:
        box = boxed(Path(room), what)
        for number in range(rounds):
            copied = Path(room) / "copy"
            shutil.copytree(box, copied)
            try:
                said = one_round(copied, what, random.Random(f"{seed} {what} {number}"), count)
            except Exception as error:  # every kind: what is no sentence is a finding
                said = f"{type(error).__name__}: {error!s:.300}"
            if said:
                findings.append(f"  {what}, seed {seed}, round {number}: {said}")
            shutil.rmtree(copied)
    told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(count.items()))
    print(f"{what}: {rounds} tried, {told}, {len(findings)} findings", *findings, sep="\n", flush=True)
    return len(findings)


def main(arguments=None):
    """One line for each kind; 1 when one of them was no sentence, or changed anything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    chosen = [what for what in RUNS if not RUNS[what][0] or importlib.util.find_spec("numpy")]
    warnings.simplefilter("ignore", UserWarning)  # zipfile's, that a name is there twice: on purpose
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 2**20,) * 2)
    numbers = [len(range(place, options.rounds, len(chosen))) for place in range(len(chosen))]
    return 1 if any([rounds_of(what, options.seed, number) for what, number in zip(chosen, numbers)]) else 0


if __name__ == "__main__":
    sys.exit(main())
