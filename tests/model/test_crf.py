"""The CRF against the enumeration of all paths, the plain recursions, pytorch-crf, and finite differences."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from bertwright.data.tagged.schemes import tag_set
from bertwright.errors import BertwrightError
from bertwright.model.crf import sums as crf_sums
from bertwright.model.crf import viterbi as crf_viterbi
from bertwright.model.crf.layout import Layout
from bertwright.model.crf.linear_chain import LinearChainCrf, SpanPaths
from bertwright.model.crf.plain import PlainCrf
from bertwright.model.crf.sums import Logarithmic, Scaled
from bertwright.model.tagger import masks_for

LENGTHS = [40, 1, 0, 93, 2, 41, 40, 0, 17]


def bounds(lengths: list[int]) -> Tensor:
    return torch.tensor([0, *itertools.accumulate(lengths)], dtype=torch.int32)


def random_crf(generator: torch.Generator, tags: int, *, forbid: bool) -> LinearChainCrf:
    """Some transitions are forbidden, but a path of any length stays."""
    masks: dict[str, Tensor] = {}
    if forbid:
        allowed = torch.rand(tags, tags, generator=generator) < 0.6
        start = torch.rand(tags, generator=generator) < 0.6
        end = torch.rand(tags, generator=generator) < 0.6
        stay = int(torch.randint(tags, (), generator=generator))
        allowed[stay, stay] = start[stay] = end[stay] = True
        masks = {"allowed": allowed, "allowed_start": start, "allowed_end": end}
    crf = LinearChainCrf(tags, **masks).double()
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    return crf


class AllPaths:
    """Every path of one sequence with its weight: the definition."""

    def __init__(self, crf: LinearChainCrf, emissions: Tensor) -> None:
        length, tags = emissions.shape
        transitions, start, end = (one.detach().numpy() for one in crf._scores())
        scores = emissions.detach().numpy()
        self.paths = list(itertools.product(range(tags), repeat=length))
        self.scores = np.array([
            start[path[0]] + end[path[-1]] + sum(scores[t, tag] for t, tag in enumerate(path))
            + sum(transitions[a, b] for a, b in itertools.pairwise(path))
            for path in self.paths
        ])  # fmt: skip
        self.log_z = np.logaddexp.reduce(self.scores)
        self.probabilities = np.exp(self.scores - self.log_z)

    def marginals(self, tags: int) -> np.ndarray:
        table = np.zeros((len(self.paths[0]), tags))
        for path, probability in zip(self.paths, self.probabilities):
            for time, tag in enumerate(path):
                table[time, tag] += probability
        return table


def small_cases() -> list[tuple[int, int, bool]]:
    return [(seed, tags, forbid) for seed in range(8) for tags in range(1, 6) for forbid in (False, True)]


@pytest.mark.parametrize(("seed", "tags", "forbid"), small_cases())
def test_everything_equals_the_enumeration_of_all_paths(seed: int, tags: int, forbid: bool) -> None:
    """80 batches of 26 sequences: 2,080 cases of 1 to 6 positions and 1 to 5 tags."""
    generator = torch.Generator().manual_seed(1000 * seed + 10 * tags + forbid)
    crf = random_crf(generator, tags, forbid=forbid)
    sizes = [1, 2, 3, 4, 5, 6] if tags < 5 else [1, 2, 3, 4, 5]
    lengths = [sizes[int(i)] for i in torch.randint(len(sizes), (26,), generator=generator)]
    cu_seqlens = bounds(lengths)
    emissions = 2 * torch.randn(sum(lengths), tags, generator=generator, dtype=torch.float64)
    truth = [AllPaths(crf, part) for part in emissions.split(lengths)]
    gold = [one.paths[int(one.probabilities.cumsum().searchsorted(0.5))] for one in truth]
    tags_of = torch.tensor([tag for path in gold for tag in path])

    losses = crf.negative_log_likelihood(emissions, tags_of, cu_seqlens)
    expected = [one.log_z - one.scores[one.paths.index(path)] for one, path in zip(truth, gold)]
    assert np.allclose(losses.detach().numpy(), expected, rtol=1e-10, atol=1e-10)
    assert math.isclose(
        crf.loss(emissions, tags_of, cu_seqlens).item(), sum(expected) / len(tags_of), rel_tol=1e-10, abs_tol=1e-12
    )

    best = [one.paths[int(one.scores.argmax())] for one in truth]
    assert crf.decode(emissions, cu_seqlens).tolist() == [tag for path in best for tag in path]

    marginals = np.concatenate([one.marginals(tags) for one in truth])
    assert np.allclose(crf.marginals(emissions, cu_seqlens).numpy(), marginals, atol=1e-10)


@pytest.mark.parametrize("forbid", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_plain_crf_equals_the_enumeration_of_all_paths(seed: int, forbid: bool) -> None:
    generator = torch.Generator().manual_seed(50 + seed)
    tags, length = 1 + seed % 4, 1 + seed
    crf = random_crf(generator, tags, forbid=forbid)
    emissions = 2 * torch.randn(length, tags, generator=generator, dtype=torch.float64)
    truth, plain = AllPaths(crf, emissions), PlainCrf(emissions, *(one.detach() for one in crf._scores()))
    assert plain.log_partition().item() == pytest.approx(truth.log_z, rel=1e-12)
    assert np.allclose(plain.marginals().numpy(), truth.marginals(tags), atol=1e-12)
    assert tuple(plain.best_path()) == truth.paths[int(truth.scores.argmax())]
    for path, score in zip(truth.paths, truth.scores):
        assert plain.path_score(list(path)).item() == pytest.approx(score)


@pytest.mark.parametrize("forbid", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_ragged_batches_equal_the_plain_crf(seed: int, forbid: bool) -> None:
    """Losses, marginals and best paths of sequences far too long to enumerate."""
    generator = torch.Generator().manual_seed(70 + seed)
    crf = random_crf(generator, 7, forbid=forbid)
    emissions = 2 * torch.randn(sum(LENGTHS), 7, generator=generator, dtype=torch.float64)
    scores = [one.detach() for one in crf._scores()]
    plain = [PlainCrf(part, *scores) for part in emissions.split(LENGTHS) if len(part)]
    best = [one.best_path() for one in plain]
    tags = torch.tensor([tag for path in best for tag in path])
    assert crf.decode(emissions, bounds(LENGTHS)).tolist() == tags.tolist()
    marginals = torch.cat([one.marginals() for one in plain])
    torch.testing.assert_close(crf.marginals(emissions, bounds(LENGTHS)), marginals)
    losses = crf.negative_log_likelihood(emissions, tags, bounds(LENGTHS)).detach()
    expected = torch.stack([one.log_partition() - one.path_score(path) for one, path in zip(plain, best)])
    torch.testing.assert_close(losses[torch.tensor(LENGTHS) > 0], expected)


def test_gradients_of_ragged_batches_equal_those_of_the_plain_crf() -> None:
    generator = torch.Generator().manual_seed(80)
    crf = random_crf(generator, 7, forbid=False)
    emissions = torch.randn(sum(LENGTHS), 7, generator=generator, dtype=torch.float64, requires_grad=True)
    tags = torch.randint(7, (sum(LENGTHS),), generator=generator)
    loss = crf.negative_log_likelihood(emissions, tags, bounds(LENGTHS)).sum()
    expected = torch.zeros((), dtype=torch.float64)
    for part, path in zip(emissions.split(LENGTHS), tags.split(LENGTHS)):
        if len(path):
            plain = PlainCrf(part, *crf._scores())
            expected = expected + plain.log_partition() - plain.path_score(path.tolist())
    inputs = (emissions, *crf.parameters())
    for ours, theirs in zip(torch.autograd.grad(loss, inputs), torch.autograd.grad(expected, inputs)):
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-7)


@pytest.mark.parametrize("seed", range(12))
def test_span_probabilities_equal_the_enumeration_of_all_paths(seed: int) -> None:
    """About 100 spans a seed, with random boundaries and random tags."""
    generator = torch.Generator().manual_seed(seed)
    tags = 2 + seed % 4
    crf = random_crf(generator, tags, forbid=seed % 2 == 1)
    lengths = [int(n) for n in torch.randint(1, 6, (12,), generator=generator)]
    emissions = 2 * torch.randn(sum(lengths), tags, generator=generator, dtype=torch.float64)
    cu_seqlens = bounds(lengths)
    begins, sizes, paths, before, after, expected = [], [], [], [], [], []
    for first, part in zip(cu_seqlens.tolist(), emissions.split(lengths)):
        truth = AllPaths(crf, part)
        for _ in range(8):
            begin = int(torch.randint(len(part), (), generator=generator))
            end = int(torch.randint(begin + 1, len(part) + 1, (), generator=generator))
            inside = torch.randint(tags, (end - begin,), generator=generator).tolist()
            left, right = torch.rand(2, tags, generator=generator) < 0.7
            begins.append(first + begin)
            sizes.append(end - begin)
            paths += inside
            before.append(left)
            after.append(right)
            expected.append(sum(
                probability for path, probability in zip(truth.paths, truth.probabilities)
                if list(path[begin:end]) == inside and (begin == 0 or left[path[begin - 1]])
                and (end == len(part) or right[path[end]])
            ))  # fmt: skip
    starts, counts, tags_inside = map(torch.tensor, (begins, sizes, paths))
    spans = SpanPaths(starts, counts, tags_inside, torch.stack(before), torch.stack(after))
    found = crf.span_probabilities(emissions, cu_seqlens, spans).numpy()
    assert np.allclose(found, expected, atol=1e-10)
    assert max(expected) > 0.05


@pytest.mark.parametrize("forbid", [False, True])
def test_gradients_pass_gradcheck(forbid: bool) -> None:
    generator = torch.Generator().manual_seed(3)
    crf = random_crf(generator, 3, forbid=forbid)
    lengths = [3, 0, 1, 5]
    emissions = torch.randn(sum(lengths), 3, generator=generator, dtype=torch.float64, requires_grad=True)
    gold = crf.decode(emissions, bounds(lengths))  # a path that is allowed

    def losses(emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
        values = {"transitions": transitions, "start_transitions": start, "end_transitions": end}
        return torch.func.functional_call(_Losses(crf), {f"crf.{k}": v for k, v in values.items()}, (emissions,))

    class _Losses(torch.nn.Module):
        def __init__(self, crf: LinearChainCrf) -> None:
            super().__init__()
            self.crf = crf

        def forward(self, emissions: Tensor) -> Tensor:
            return self.crf.negative_log_likelihood(emissions, gold, bounds(lengths))

    leaves = [parameter.detach().clone().requires_grad_() for parameter in crf.parameters()]
    assert torch.autograd.gradcheck(losses, (emissions, *leaves), atol=1e-6)


@pytest.mark.parametrize(("longest", "tags", "rows"), [(128, 9, 32), (200, 31, 8), (40, 2, 5)])
def test_large_batches_equal_pytorch_crf(longest: int, tags: int, rows: int) -> None:
    torchcrf = pytest.importorskip("torchcrf")
    generator = torch.Generator().manual_seed(longest)
    crf = random_crf(generator, tags, forbid=False)
    peer = torchcrf.CRF(tags, batch_first=True).double()
    for mine, theirs in zip(crf.parameters(), (peer.transitions, peer.start_transitions, peer.end_transitions)):
        theirs.data.copy_(mine.data)
    lengths = torch.randint(1, longest + 1, (rows,), generator=generator)
    lengths[rows // 2] = longest
    mask = torch.arange(longest) < lengths[:, None]
    padded = 3 * torch.randn(rows, longest, tags, generator=generator, dtype=torch.float64)
    padded.requires_grad_()
    gold = torch.randint(tags, (rows, longest), generator=generator)
    ragged = padded.detach()[mask].requires_grad_()
    cu_seqlens = bounds(lengths.tolist())

    loss = crf.negative_log_likelihood(ragged, gold[mask], cu_seqlens).sum()
    loss.backward()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "where received a uint8 condition")
        expected = -peer(padded, gold, mask=mask)
        paths = peer.decode(padded, mask=mask)
    expected.backward()
    assert torch.allclose(loss, expected, rtol=1e-12)
    assert ragged.grad is not None
    assert padded.grad is not None
    assert torch.allclose(ragged.grad, padded.grad[mask], atol=1e-10)
    for mine, theirs in zip(crf.parameters(), (peer.transitions, peer.start_transitions, peer.end_transitions)):
        assert mine.grad is not None
        assert torch.allclose(mine.grad, theirs.grad, atol=1e-8)
    assert crf.decode(ragged, cu_seqlens).tolist() == [tag for path in paths for tag in path]


@pytest.mark.parametrize("forbid", [False, True])
@pytest.mark.parametrize("spread", [1.0, 30.0])
def test_scaled_sums_equal_those_in_logarithms(spread: float, forbid: bool) -> None:
    generator = torch.Generator().manual_seed(int(spread))
    crf = random_crf(generator, 7, forbid=forbid)
    lengths = [60, 1, 33, 2, 17, 16]
    emissions = spread * torch.randn(sum(lengths), 7, generator=generator, dtype=torch.float64)
    layout = Layout(bounds(lengths), emissions.device)
    between, first, last = (one.detach() for one in crf._scores())
    fast = Scaled(emissions, between, first, last, layout)
    slow = Logarithmic(emissions, between, first, last, layout)
    assert fast.is_exact
    assert torch.allclose(fast.log_z, slow.log_z, rtol=1e-12)
    assert torch.allclose(fast.marginals(), slow.marginals(), atol=1e-12)
    weights = torch.rand(len(emissions), generator=generator, dtype=torch.float64)
    assert torch.allclose(fast.pairs(weights), slow.pairs(weights), atol=1e-10)
    for mine, theirs in zip(fast.logarithms(), slow.logarithms()):
        near = theirs > theirs.amax(1, keepdim=True) - 600  # what is farther off is zero for the fast one
        assert torch.allclose(mine[near], theirs[near], rtol=1e-9)


@pytest.mark.parametrize("forbid", [False, True])
def test_torch_walks_as_numpy_does(monkeypatch: pytest.MonkeyPatch, forbid: bool) -> None:
    """On other devices than a CPU torch runs the loops; here it is made to."""
    generator = torch.Generator().manual_seed(7)
    crf = random_crf(generator, 5, forbid=forbid)
    lengths = [9, 0, 1, 20, 2, 20, 13]
    emissions = torch.randn(sum(lengths), 5, generator=generator, dtype=torch.float64)
    cu_seqlens = bounds(lengths)
    tags = crf.decode(emissions, cu_seqlens)
    loss, marginals = crf.loss(emissions, tags, cu_seqlens), crf.marginals(emissions, cu_seqlens)
    for module in (crf_sums, crf_viterbi):
        monkeypatch.setattr(module, "arrays_of", lambda *tensors: list(tensors))
    assert crf.decode(emissions, cu_seqlens).tolist() == tags.tolist()
    assert torch.allclose(crf.loss(emissions, tags, cu_seqlens), loss, rtol=1e-12)
    assert torch.allclose(crf.marginals(emissions, cu_seqlens), marginals, atol=1e-12)


def test_emissions_that_fight_the_transitions_fall_back_to_logarithms() -> None:
    """The best tag at each step can only be reached from what the step before all but excludes."""
    crf = LinearChainCrf(2, allowed=torch.eye(2)).double()
    emissions = torch.tensor([[0.0, -2000.0], [-2000.0, 0.0], [0.0, -1500.0]], dtype=torch.float64)
    layout = Layout(bounds([3]), emissions.device)
    between, first, last = (one.detach() for one in crf._scores())
    assert not Scaled(emissions, between, first, last, layout).is_exact
    gold = torch.tensor([0, 0, 0])
    emissions.requires_grad_()
    loss = crf.negative_log_likelihood(emissions, gold, bounds([3]))
    loss.sum().backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-9)
    assert emissions.grad is not None
    assert emissions.grad.isfinite().all()
    assert crf.decode(emissions, bounds([3])).tolist() == [0, 0, 0]


class CountedNumbers(TorchDispatchMode):
    """How many numbers torch computes."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        self.total += found.numel() if isinstance(found, Tensor) and not func.name().endswith("_") else 0
        return found


def test_the_work_of_the_sums_in_logarithms_is_linear_in_the_length() -> None:
    scores = torch.zeros(3, 3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    work = []
    for length in (200, 400):
        emissions = torch.zeros(length, 3, dtype=torch.float64)
        layout = Layout(bounds([length]), emissions.device)
        with CountedNumbers() as counted:
            Logarithmic(emissions, *scores, scores[1], layout)
        work.append(counted.total)
    assert work[1] < 2.2 * work[0]


def test_half_precision_emissions_are_summed_in_full() -> None:
    generator = torch.Generator().manual_seed(0)
    crf = LinearChainCrf(5)
    emissions = torch.randn(300, 5, generator=generator).bfloat16().requires_grad_()
    gold = torch.randint(5, (300,), generator=generator)
    with torch.autocast("cpu", torch.bfloat16):
        loss = crf.loss(emissions, gold, bounds([100, 200]))
    exact = crf.loss(emissions.detach().double(), gold, bounds([100, 200]))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=1e-6)
    loss.backward()
    assert emissions.grad is not None
    assert emissions.grad.dtype == torch.bfloat16


@pytest.mark.parametrize("length", [1500, 20_000])
def test_the_best_path_of_a_long_text_is_not_lost_in_rounding(length: int) -> None:
    """Against the textbook in float64; the scores of a head that is sure of itself add up to a large number."""
    generator = torch.Generator().manual_seed(length)
    tags = tag_set(["A", "B", "C"], "bio")
    crf = LinearChainCrf(len(tags), **masks_for(tags))
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    emissions = 8 + torch.randn(length, len(tags), generator=generator)
    transitions, start, end = (one.detach().double().numpy() for one in crf._scores())
    scores = emissions.double().numpy()
    best, leads = start + scores[0], []
    for row in scores[1:]:
        ways = best[:, None] + transitions
        leads.append(ways.argmax(0))
        best = ways.max(0) + row
    path = [int((best + end).argmax())]
    for lead in reversed(leads):
        path.append(int(lead[path[-1]]))
    assert crf.decode(emissions, bounds([length])).tolist() == path[::-1]


def test_a_fresh_crf_is_a_softmax() -> None:
    emissions = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    crf = LinearChainCrf(4)
    assert torch.allclose(crf.marginals(emissions, bounds([7])), emissions.softmax(1), atol=1e-6)
    assert crf.decode(emissions, bounds([7])).tolist() == emissions.argmax(1).tolist()


def test_nothing_to_do_is_no_mistake() -> None:
    crf = LinearChainCrf(3)
    nothing = torch.zeros(0, 3, requires_grad=True)
    none = torch.zeros(0, dtype=torch.int64)
    assert crf.loss(nothing, none, bounds([0, 0])).item() == 0.0
    crf.loss(nothing, none, bounds([0])).backward()
    assert crf.decode(nothing, bounds([0])).tolist() == []
    assert crf.marginals(nothing, bounds([])).shape == (0, 3)


def test_what_is_not_a_number_stays_visible() -> None:
    crf = LinearChainCrf(3)
    emissions = torch.full((4, 3), math.nan)
    assert crf.loss(emissions, torch.zeros(4, dtype=torch.int64), bounds([4])).isnan()
    assert all(0 <= tag < 3 for tag in crf.decode(emissions, bounds([4])).tolist())


@pytest.mark.parametrize(
    ("code", "emissions", "tags", "lengths"),
    [
        ("BW540", (4, 3), [0, 1, 2, 3], [4]),
        ("BW540", (4, 3), [0, -100, 2, 2], [4]),
        ("BW420", (4, 2), [0, 1, 1, 0], [4]),
        ("BW420", (4, 3), [0, 1, 1], [4]),
        ("BW420", (4, 3), [0, 1, 1, 0], [3]),
        ("BW420", (4, 3), [0, 1, 1, 0], [5, -1]),
        ("BW541", (4, 3), [0, 1, 2, 1], [4]),
        ("BW541", (4, 3), [1, 0, 0, 0], [4]),
        ("BW541", (4, 3), [0, 0, 0, 2], [4]),
    ],
)
def test_mistakes(code: str, emissions: tuple[int, int], tags: list[int], lengths: list[int]) -> None:
    allowed = torch.ones(3, 3)
    allowed[2, 1] = 0
    crf = LinearChainCrf(3, allowed=allowed, allowed_start=torch.tensor([1, 0, 1]), allowed_end=torch.tensor([1, 1, 0]))
    with pytest.raises(BertwrightError) as error:
        crf.loss(torch.zeros(emissions), torch.tensor(tags), bounds(lengths))
    assert error.value.code == code


def test_a_negative_loss_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    crf = LinearChainCrf(3)
    monkeypatch.setattr(Layout, "sums", lambda self, values: torch.tensor([5.0]))  # a path better than all together
    with pytest.raises(BertwrightError, match="BW542"):
        crf.loss(torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64), bounds([2]))


def test_an_empty_set_of_tags_and_a_mask_of_another_shape_are_refused() -> None:
    with pytest.raises(BertwrightError, match="BW543"):
        LinearChainCrf(0)
    with pytest.raises(BertwrightError, match="BW420"):
        LinearChainCrf(3, allowed=torch.ones(2, 2))


def test_masks_are_not_saved_and_move_with_the_module() -> None:
    crf = LinearChainCrf(3, allowed=torch.eye(3))
    assert set(crf.state_dict()) == {"transitions", "start_transitions", "end_transitions"}
    assert not crf.transitions.any()
    assert not crf.start_transitions.any()
    with torch.device("meta"):
        assert LinearChainCrf(3, allowed=torch.eye(3, device="cpu")).allowed.device.type == "cpu"


def test_tags_with_fractions_are_refused() -> None:
    crf = LinearChainCrf(3)
    with pytest.raises(BertwrightError, match="BW440"):
        crf.loss(torch.zeros(2, 3), torch.tensor([0.7, 1.9]), torch.tensor([0, 2]))
