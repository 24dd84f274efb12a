"""How many steps a training on few rows takes: dev scores of runs that differ in their epochs only.

    python benchmarks/few_rows.py --data DATA

Rows are drawn from the training sets; scores are of the whole dev set, the mean and the spread over the seeds.
"""

from __future__ import annotations

import argparse
import logging
import math
import random
import statistics
import tempfile
from pathlib import Path

from bertwright import finetune
from bertwright.data.examples import Example
from bertwright.inference.evaluate import evaluate
from bertwright.tasks.classification import Classification

SETS = {
    "AG News": ("en/agnews/train.tsv", "en/agnews/test.tsv"),
    "SST-2": ("en/sst2/train.tsv.xz", "en/sst2/dev.tsv"),
    "ChnSentiCorp": ("zh/chnsenticorp/train.tsv.xz", "zh/chnsenticorp/dev.tsv"),
    "TNEWS": ("zh/tnews/train.json.xz", "zh/tnews/dev.json"),
}
BATCH = 32


def found(folder: Path, name: str) -> Path:
    """The file, compressed or not."""
    stem = name.removesuffix(".xz")
    return next(path for path in (folder / name, folder / stem, folder / f"{stem}.xz") if path.exists())


def accuracy(rows: list[Example], dev: list[Example], epochs: int, model: str, seed: int) -> float:
    """Of a run on these rows, of which a tenth is held out, on `dev`."""
    with tempfile.TemporaryDirectory() as folder:
        run = finetune(rows, model=model, out=Path(folder) / "run", epochs=epochs, seed=seed)
        return evaluate(run.folder, dev).scores["accuracy"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 1000, 3000])
    parser.add_argument("--steps", type=int, nargs="+", default=[0, 100, 200, 400, 800], help="0: three epochs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    options = parser.parse_args()
    logging.getLogger("bertwright").setLevel(logging.ERROR)
    print("| set | rows | steps (epochs) | accuracy |\n|---|---|---|---|")
    for name in options.sets:
        train, dev = (Classification.read(found(options.data, file), labelled=True).examples for file in SETS[name])
        dev = random.Random(0).sample(dev, min(len(dev), 1000))
        for count in options.rows:
            a_pass = math.ceil(0.9 * count / BATCH)
            for epochs in sorted({max(3, math.ceil(steps / a_pass)) for steps in options.steps}):
                scores = [
                    accuracy(random.Random(seed).sample(train, count), dev, epochs, options.model, seed)
                    for seed in range(1, options.seeds + 1)
                ]
                told = f"{100 * statistics.mean(scores):.1f} ± {100 * statistics.stdev(scores):.1f}"
                print(f"| {name} | {count} | {epochs * a_pass} ({epochs}) | {told} |", flush=True)


if __name__ == "__main__":
    main()
