"""`prepare` beside `datasets.map` with the `BertTokenizer` of `transformers`: the same text, the same cores, in turns.

    python benchmarks/prepare.py --data ../shared/data

50 MB of English and of Chinese Wikipedia. Ours reads the file, splits sentences, drops repeats and writes the store;
the peer's lines are in memory before its time begins, and it only tokenizes them (without attention masks and token
types, in batches of each size that is swept; its best counts). Both use `--workers` processes, whose start is part of
the time. Then the memory of ours: the peak of all its processes together, for a corpus and for one twice as large.
"""

from __future__ import annotations

import argparse
import lzma
import statistics
import tempfile
import threading
import time
from pathlib import Path

import psutil

from bertwright.corpus.prepare import prepare_corpus
from bertwright.corpus.prepare_settings import PrepareSettings

VOCABULARIES = {"en": "bert-base-uncased", "zh": "bert-base-chinese"}
PEER_BATCHES = (1000, 4000)


def text_of(data: Path, name: str, size: int) -> bytes:
    """The first whole documents of a language's Wikipedia."""
    with lzma.open(data / "pretrain" / f"wikipedia_{name}.txt.xz") as file:
        content = file.read(size)
    return content[: content.rfind(b"\n\n") + 1]


def run_ours(file: Path, vocab: Path, workers: int, wwm: bool = False) -> float:
    """Seconds from the file to the finished store."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        prepare_corpus([file], vocab, Path(folder) / "store", PrepareSettings(wwm=wwm), workers=workers)
        return time.perf_counter() - started


def run_peer(lines: list[str], vocab: Path, workers: int, batch: int) -> float:
    """Seconds of `map` alone."""
    import datasets
    import transformers

    datasets.disable_progress_bars()
    datasets.disable_caching()
    tokenizer = transformers.BertTokenizer(vocab=str(vocab / "vocab.txt"))
    rows = datasets.Dataset.from_dict({"text": lines})
    started = time.perf_counter()
    rows.map(
        lambda some: tokenizer(
            some["text"], add_special_tokens=False, return_attention_mask=False, return_token_type_ids=False
        ),
        batched=True,
        batch_size=batch,
        num_proc=workers,
        remove_columns=["text"],
    )
    return time.perf_counter() - started


class PeakMemory:
    """The largest sum, over this process and its children, of the memory that belongs to each alone or by share."""

    def __init__(self) -> None:
        self.peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        here = psutil.Process()
        while not self._done.wait(0.05):
            total = 0
            for process in (here, *here.children(recursive=True)):
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total)


def measure_memory(file: Path, vocab: Path, workers: int) -> float:
    """MB at the peak, in a process of its own."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    parent, child = context.Pipe()
    process = context.Process(target=_measured, args=(child, file, vocab, workers))
    process.start()
    peak: int = parent.recv()
    process.join()
    return peak / 1e6


def _measured(pipe: object, file: Path, vocab: Path, workers: int) -> None:
    with PeakMemory() as memory:
        run_ours(file, vocab, workers)
    pipe.send(memory.peak)  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds pretrain/ and vocab/")
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--languages", nargs="+", default=["en", "zh"])
    parser.add_argument("--memory", action="store_true", help="measure memory instead of speed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.languages:
            vocab = options.data / "vocab" / VOCABULARIES[name]
            file = Path(folder) / f"{name}.txt"
            if options.memory:
                peaks = []
                for size in (options.megabytes, 2 * options.megabytes):
                    file.write_bytes(text_of(options.data, name, size * 1_000_000))
                    peaks.append(measure_memory(file, vocab, options.workers))
                print(
                    f"{name}: peak {peaks[0]:.0f} MB, of twice the corpus {peaks[1]:.0f} MB ({peaks[1] / peaks[0]:.3f})"
                )
                continue
            content = text_of(options.data, name, options.megabytes * 1_000_000)
            file.write_bytes(content)
            lines = [line for line in content.decode().split("\n") if line]
            size = len(content) / 1e6
            speeds: dict[str, list[float]] = {}
            for _ in range(options.repeats):
                speeds.setdefault("bertwright", []).append(size / run_ours(file, vocab, options.workers))
                for batch in PEER_BATCHES:
                    peer = f"datasets.map, batches of {batch}"
                    speeds.setdefault(peer, []).append(size / run_peer(lines, vocab, options.workers, batch))
                if name == "zh":
                    wwm = size / run_ours(file, vocab, options.workers, wwm=True)
                    speeds.setdefault("bertwright --wwm", []).append(wwm)
            medians = {system: statistics.median(found) for system, found in speeds.items()}
            best = max((peer for peer in medians if peer.startswith("datasets")), key=medians.__getitem__)
            for system, speed in medians.items():
                spread = f"{min(speeds[system]):.2f} to {max(speeds[system]):.2f}"
                print(f"{name}: {system}: {speed:.2f} MB/s ({spread})")
            ratios = sorted(ours / peer for ours, peer in zip(speeds["bertwright"], speeds[best]))
            print(f"{name}: ratio to the peer's best, run by run: {statistics.median(ratios):.2f}, "
                  f"{ratios[0]:.2f} to {ratios[-1]:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
