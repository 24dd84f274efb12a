"""`generate`: sources to outputs, as many at once as memory takes.

Shapes: B sources.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bertwright.data.ragged import Ragged
from bertwright.errors import BertwrightError
from bertwright.model.seq2seq.encoder_decoder import BertForSeq2SeqLM, refuse_empty
from bertwright.model.seq2seq.generation.beam_search import Output, write_beams, write_one
from bertwright.model.seq2seq.generation.choosing import dice_for
from bertwright.model.seq2seq.generation.decoder_memory import Memory
from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings

_BYTES_AT_ONCE = 1 << 29  # of keys, values and scores, if every output gets as long as it may
_COPIES_OF_SCORES = 3  # as they come, as logarithms, summed


@torch.inference_mode()
def generate(model: BertForSeq2SeqLM, source: Ragged, settings: GenerationSettings) -> list[Output]:
    """One output for each of the B sources, in their order.

    The model should be in `eval` mode. `settings.num_beams` above 1 asks for beam search, `do_sample` for chance.

    Raises:
        BertwrightError: BW600 the config does not say how outputs begin and end, BW601 an empty source, BW603 outputs
            longer than the position table, BW604 settings that exclude each other.
    """
    config = model.seq2seq
    start, end = config.decoder_start_token_id, config.eos_token_id
    if start is None or end is None:
        raise BertwrightError("BW600", missing="config.json: decoder_start_token_id, eos_token_id")
    check_settings(settings, config.longest_output)
    refuse_empty(source)
    encoded = model.read(source)
    outputs: list[Output] = []
    for part, memory_of in _portions(model, source, encoded, settings):
        memory = Memory(model, memory_of, part, settings.num_beams)
        if settings.num_beams > 1:
            outputs += write_beams(memory, part.batch_size, start, end, settings)
            continue
        dice = None
        if settings.do_sample:
            ids = torch.split(part.input_ids.cpu(), list(part.lengths))
            dice = dice_for([one.numpy().astype(np.int64) for one in ids], settings).to(encoded.device)
        outputs += write_one(memory, part.batch_size, start, end, settings, dice)
    return outputs


def check_settings(settings: GenerationSettings, longest: int) -> None:
    """Raise BW603 or BW604 for settings that a model with `longest` positions cannot follow."""
    if settings.max_output_length > longest:
        raise BertwrightError("BW603", value=settings.max_output_length, rows=longest)
    if settings.min_length > settings.max_output_length:
        one, other = f"min_length={settings.min_length}", f"max_output_length={settings.max_output_length}"
        raise BertwrightError("BW604", one=one, other=other)
    if settings.do_sample and settings.num_beams > 1:
        raise BertwrightError("BW604", one="do_sample=true", other=f"num_beams={settings.num_beams}")


def _portions(
    model: BertForSeq2SeqLM, source: Ragged, encoded: Tensor, settings: GenerationSettings
) -> list[tuple[Ragged, Tensor]]:
    """The sources in groups whose keys, values and scores fit together."""
    shape = model.seq2seq.written
    token = 2 * shape.num_hidden_layers * shape.hidden_size * encoded.element_size()
    one = token * (settings.num_beams * settings.max_output_length + source.max_seqlen)
    one += _COPIES_OF_SCORES * 4 * settings.num_beams * shape.vocab_size
    size = max(_BYTES_AT_ONCE // one, 1)
    if source.batch_size <= size:
        return [(source, encoded)]
    portions, done = [], 0
    for start in range(0, source.batch_size, size):
        lengths = source.lengths[start : start + size]
        end = done + sum(lengths)
        ids, types, positions = source.input_ids, source.token_type_ids, source.position_ids
        part = Ragged.of(ids[done:end], types[done:end], positions[done:end], lengths)
        portions.append((part, encoded[done:end]))
        done = end
    return portions
