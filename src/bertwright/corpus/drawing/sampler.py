"""The examples of pre-training: pairs and masks as functions of `(seed, epoch, position)`.

Next sentence prediction (Devlin et al. 2018, section 3.1, task 2): the pieces of an epoch are partners two by two,
never of one document. With 50 % two partners exchange their second halves, and neither half follows the other; else
each keeps its own. So half of the examples are random, the second text of each of those comes from another document,
and still nothing is read twice or left out in an epoch. Sentence order prediction (Lan et al. 2019, section 3.1): the
halves of a piece change places with 50 %.

Shapes: S tokens of an example, M masked positions.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bertwright.corpus.drawing.held_out import held_out_documents
from bertwright.corpus.drawing.masking import Masker
from bertwright.corpus.drawing.plan import Plan, make_plan
from bertwright.corpus.drawing.sampling_settings import SamplingSettings
from bertwright.corpus.store import CorpusStore, Shard
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.tokenizer import BertTokenizer

Split = Literal["train", "held_out"]
FOLLOWS, RANDOM, NO_PAIR = 0, 1, -1
_PLANS_KEPT = 2
_of_thread = threading.local()
_COUNTER = np.zeros(4, dtype=np.uint64)
_FRESH = {"bit_generator": "Philox", "buffer": _COUNTER, "buffer_pos": 4, "has_uint32": 0, "uinteger": 0}
_SMALLEST_LENGTH = 8


@dataclass(frozen=True, slots=True, eq=False)
class PretrainExample:
    """What the model reads, and what it is to find.

    Attributes:
        input_ids: `[S]` int32: [CLS] a [SEP] b [SEP], or [CLS] a [SEP], masks put in.
        token_type_ids: `[S]` uint8.
        masked_positions: `[M]` int32, ascending.
        labels: `[M]` int32: the ids that stood there.
        next_sentence_label: 0 b follows a, 1 it does not (NSP) or precedes it (SOP), -1 there is no b. The numbers
            are those of `transformers`.
        tokens_cut: tokens of the piece that did not fit and were cut at a random end.
    """

    input_ids: NDArray[np.int32]
    token_type_ids: NDArray[np.uint8]
    masked_positions: NDArray[np.int32]
    labels: NDArray[np.int32]
    next_sentence_label: int
    tokens_cut: int

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass(frozen=True, slots=True)
class _Text:
    """Some tokens, and which of them go on within a Chinese word."""

    ids: NDArray[np.int32]
    goes_on: NDArray[np.bool_]

    def part(self, begin: int, end: int) -> _Text:
        return _Text(self.ids[begin:end], self.goes_on[begin:end])


class PretrainSampler:
    """Draws examples from a store. The same arguments give the same examples, in any process and in any order.

    Args:
        store: the corpus.
        tokenizer: the one that the store was made with.
        settings: see there.
        seed: a number from 0 to 2⁶³ - 1.
        split: the documents for training, or those held out.

    Raises:
        BertwrightError: BW289 another vocabulary; BW293 too few documents for the split; BW294 settings that no
            example fits; BW401 a vocabulary without [MASK].
    """

    def __init__(
        self,
        store: CorpusStore,
        tokenizer: BertTokenizer,
        settings: SamplingSettings,
        seed: int = 0,
        split: Split = "train",
    ) -> None:
        store.check_vocabulary(tokenizer)
        if settings.max_length < _SMALLEST_LENGTH:
            raise BertwrightError("BW294", max_length=settings.max_length, smallest=_SMALLEST_LENGTH)
        self.store = store
        self.settings = settings
        self.seed = seed
        self.split = split
        self._masker = Masker.of(tokenizer, settings.masking, settings.mask_share)
        self._cls, self._sep = tokenizer.cls_token_id, tokenizer.sep_token_id
        held_out = held_out_documents(store.documents, settings.held_out)
        self._kept = held_out if split == "held_out" else ~held_out
        self.documents = int(self._kept.sum())
        least = 2 if settings.objective == "mlm+nsp" else 1
        if self.documents < least:
            raise BertwrightError("BW293", folder=store.folder, split=split, have=self.documents, need=least)
        self._token_edges = [0, *accumulate(int(shard["tokens"]) for shard in store.manifest["shards"])]
        self._plans: OrderedDict[int, Plan] = OrderedDict()
        self._counts: dict[int, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_plans": OrderedDict()}  # every process makes its own

    def count(self, epoch: int) -> int:
        """How many examples an epoch has, at least one; it varies a little.

        Raises:
            BertwrightError: BW296 no document of the split has the two tokens that a pair needs.
        """
        if epoch not in self._counts:
            self._plan(epoch)
        return self._counts[epoch]

    def locate(self, index: int) -> tuple[int, int]:
        """The epoch and the position of an index that counts on over the epochs."""
        epoch = 0
        while index >= self.count(epoch):
            index -= self.count(epoch)
            epoch += 1
        return epoch, index

    def sample(self, index: int) -> PretrainExample:
        """The example at an index that counts on over the epochs."""
        return self.example(*self.locate(index))

    def samples(self, start: int, stop: int) -> list[PretrainExample]:
        """The examples at the indices from `start` to before `stop`."""
        return [self.sample(index) for index in range(start, stop)]

    def example(self, epoch: int, position: int) -> PretrainExample:
        """The example at a position of an epoch.

        Raises:
            IndexError: the epoch has no such position.
        """
        plan = self._plan(epoch)
        if not 0 <= position < len(plan):
            raise IndexError(f"epoch {epoch} has {len(plan)} examples, not {position + 1}")
        rng = self._generator(epoch, position)
        piece = int(plan.order[position])
        if self.settings.objective == "mlm":
            text = self._read(plan, piece)
            kept = self._cut(rng, text, len(text.ids) - self.settings.room)
            return self._finish(rng, [kept], NO_PAIR, len(text.ids) - len(kept.ids))
        if self.settings.objective == "mlm+sop":
            first, second = self._halves(plan, piece, rng.random())
            label = int(rng.random() < 0.5)
            return self._pair(rng, *((second, first) if label else (first, second)), label)
        where, is_random = float(plan.where[position // 2]), bool(plan.exchanged[position // 2])
        first, second = self._halves(plan, piece, where)
        if is_random:
            partner = self._partner(plan, position, rng)
            if partner is None:
                is_random = False
            else:
                second = self._halves(plan, partner, where)[1]
        return self._pair(rng, first, second, int(is_random))

    # Inside

    def _plan(self, epoch: int) -> Plan:
        plan = self._plans.get(epoch)
        if plan is None:
            plan = make_plan(self.store, self._kept, self.settings, self.seed, epoch)
            if not len(plan):
                raise BertwrightError("BW296", folder=self.store.folder, split=self.split, have=self.documents)
            self._counts[epoch] = len(plan)
            self._plans[epoch] = plan
            while len(self._plans) > _PLANS_KEPT:
                self._plans.popitem(last=False)
        return plan

    def _generator(self, epoch: int, position: int) -> np.random.Generator:
        """Random numbers for one example: Philox draws by counting, so its key alone tells the streams apart."""
        own = getattr(_of_thread, "generator", None)
        if own is None:
            own = _of_thread.generator = np.random.Generator(np.random.Philox(0))
        # To set the state of a generator costs a fifth of making one.
        state = _FRESH | {
            "state": {"counter": _COUNTER, "key": np.array([self.seed, epoch << 40 | position], np.uint64)}
        }
        own.bit_generator.state = state
        return own

    def _partner(self, plan: Plan, position: int, rng: np.random.Generator) -> int | None:
        """The piece that gives the second half of a random pair; None for the last of an odd number."""
        if position // 2 in plan.alone:
            return self._stranger(plan, int(plan.order[position]), rng)
        other = position ^ 1
        return int(plan.order[other]) if other < len(plan) else None

    def _stranger(self, plan: Plan, piece: int, rng: np.random.Generator) -> int | None:
        """A random piece of another document, where partners are of one: nearly all text is in that document."""
        begin = int(plan.begins[piece])
        shard, at = self._shard_of(begin)
        sentence = _place(shard.sentences, at, "right") - 1
        document = _place(shard.documents, sentence, "right") - 1
        edges = shard.sentences[shard.documents[document : document + 2]].astype(np.int64) + (begin - at)
        first, end = np.searchsorted(plan.begins, edges).tolist()
        if end - first == len(plan):
            return None
        drawn = int(rng.integers(len(plan) - (end - first)))
        return drawn if drawn < first else drawn + end - first

    def _shard_of(self, token: int) -> tuple[Shard, int]:
        """The shard in which a token of the store stands, and where in it."""
        number = bisect_right(self._token_edges, token) - 1
        return self.store.shards[number], token - self._token_edges[number]

    def _read(self, plan: Plan, piece: int) -> _Text:
        shard, at = self._shard_of(int(plan.begins[piece]))
        return _text(shard, at, at + int(plan.lengths[piece]))

    def _halves(self, plan: Plan, piece: int, where: float) -> tuple[_Text, _Text]:
        """A piece in two, at the end of a sentence near that share of it, or at least of a word."""
        shard, at = self._shard_of(int(plan.begins[piece]))
        length = int(plan.lengths[piece])
        text = _text(shard, at, at + length)
        inner = slice(_place(shard.sentences, at, "right"), _place(shard.sentences, at + length, "left"))
        ends = shard.sentences[inner].astype(np.int64) - at
        if not len(ends):
            ends = np.flatnonzero(~(self._masker.within[text.ids[1:]] | text.goes_on[1:])) + 1
        if not len(ends):
            ends = np.arange(1, length)
        middle = int(ends[np.abs(ends - where * length).argmin()])
        return text.part(0, middle), text.part(middle, length)

    def _pair(self, rng: np.random.Generator, first: _Text, second: _Text, label: int) -> PretrainExample:
        """What does not fit is taken from the longer text, token by token, as in the code of Devlin et al."""
        lengths = len(first.ids), len(second.ids)
        excess = max(sum(lengths) - self.settings.room, 0)
        longer = min(excess, abs(lengths[0] - lengths[1]))
        both, odd = divmod(excess - longer, 2)
        cuts = [both + odd, both]
        cuts[int(lengths[1] > lengths[0])] += longer
        kept = [self._cut(rng, text, cut) for text, cut in zip((first, second), cuts)]
        return self._finish(rng, kept, label, excess)

    def _cut(self, rng: np.random.Generator, text: _Text, excess: int) -> _Text:
        """Take tokens away, each from the beginning or from the end."""
        if excess <= 0:
            return text
        front = int(rng.binomial(excess, 0.5))
        return text.part(front, len(text.ids) - (excess - front))

    def _finish(self, rng: np.random.Generator, texts: list[_Text], label: int, cut: int) -> PretrainExample:
        """Put the special tokens around and the masks in."""
        first = len(texts[0].ids)
        ids = np.concatenate([text.ids for text in texts])
        chosen, span = self._masker.choose(rng, ids, np.concatenate([text.goes_on for text in texts]), first)
        labels = ids[chosen]
        ids[chosen] = self._masker.replacements(rng, labels, span)
        special = len(texts) + 1
        whole = np.empty(len(ids) + special, dtype=np.int32)
        types = np.zeros(len(whole), dtype=np.uint8)
        whole[0] = self._cls
        whole[1 : first + 1] = ids[:first]
        whole[first + 1] = self._sep
        if len(texts) == 2:
            whole[first + 2 : -1] = ids[first:]
            whole[-1] = self._sep
            types[first + 2 :] = 1
        positions = (chosen + 1 + (chosen >= first)).astype(np.int32)
        return PretrainExample(whole, types, positions, labels, label, cut)


def _text(shard: Shard, begin: int, end: int) -> _Text:
    return _Text(np.array(shard.tokens[begin:end], dtype=np.int32), shard.goes_on(begin, end))


def _place(places: NDArray[np.uint32], value: int, side: Literal["left", "right"]) -> int:
    # With a number of another type the whole array, which is on the disk, would be converted first.
    return int(places.searchsorted(places.dtype.type(value), side))
