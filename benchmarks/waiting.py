"""Threads that sleep while they wait beside threads that spin: fine-tuning with both, in turn.

    python benchmarks/waiting.py --data ../shared/data
    python benchmarks/waiting.py --data ../shared/data --beside 2

The command line sets OMP_WAIT_POLICY=PASSIVE; the default of the library is to spin. `--beside` starts so many programs
that multiply matrices on one thread each for as long as the measuring takes. Every run is a process of its own: the
6-layer checkpoint, SST-2, batches of 32.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

POLICIES = ("PASSIVE", "")  # the second is the library's own
_NEIGHBOUR = "import torch; torch.set_num_threads(1); a = torch.randn(600, 600)\nwhile True: a @ a"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds en/sst2")
    parser.add_argument("--beside", type=int, default=0, help="busy programs on the same machine")
    parser.add_argument("--rows", type=int, default=960)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", action="store_true", help="a single run, in this process and under its variables")
    options = parser.parse_args()
    if options.one:
        print(tokens_per_second(options))
        return
    speeds: dict[str, list[float]] = {policy: [] for policy in POLICIES}
    with neighbours(options.beside):
        for _ in range(options.rounds):
            for policy in POLICIES:
                speeds[policy].append(run_apart(policy))
    for policy, found in speeds.items():
        name = policy or "as the library does"
        print(f"{name}: {statistics.median(found):.0f} tokens/s ({min(found):.0f} to {max(found):.0f})")
    ratios = sorted(a / b for a, b in zip(*speeds.values()))
    print(f"asleep, {options.beside} busy programs beside: ", end="")
    print(f"{statistics.median(ratios):.2f} times as fast ({ratios[0]:.2f} to {ratios[-1]:.2f})")


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many busy programs, until the end."""
    started = [subprocess.Popen([sys.executable, "-c", _NEIGHBOUR]) for _ in range(count)]
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()


def run_apart(policy: str) -> float:
    """Tokens a second of a process under a policy."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    environment |= {"OMP_WAIT_POLICY": policy} if policy else {}
    command = [sys.executable, *sys.argv, "--one"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(answer.stderr)
    return float(answer.stdout.splitlines()[-1])


def tokens_per_second(options: argparse.Namespace) -> float:
    """One run."""
    import torch

    from bertwright.training.finetuning.finetune import finetune
    from bertwright.training.loop_settings import FinetuneSettings
    from checkpoints import minilm
    from workloads import WORKLOADS

    torch.set_num_threads(options.threads)
    workload = replace(WORKLOADS["sst2"], rows=options.rows, dev_rows=16)
    train, dev = workload.examples(options.data)
    settings = FinetuneSettings.resolve(epochs=1, batch_size=32, max_length=workload.max_length, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        outcome = finetune(train, dev, model=minilm(), out=Path(folder) / "run", settings=settings).outcome
    return outcome.tokens / outcome.train_seconds


if __name__ == "__main__":
    main()
