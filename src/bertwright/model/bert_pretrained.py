"""`BertPreTrainedModel`: what programs written for `transformers` ask of a model, and build their own models on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from bertwright.errors import BertwrightError
from bertwright.model.call_arguments import settle_saving
from bertwright.model.config import BertConfig
from bertwright.model.fresh_values import is_started, mark_started, start_module
from bertwright.model.heads import MaskedLanguageModelHead
from bertwright.model.pretrained import Pretrained
from bertwright.model.word_rows import output_of, resize_head, resized_table


class BertPreTrainedModel(Pretrained):
    """A model with an encoder in it, such as somebody's own:

        class Tagger(BertPreTrainedModel):
            def __init__(self, config):
                super().__init__(config)
                self.bert = BertModel(config, add_pooling_layer=False)
                self.classifier = torch.nn.Linear(config.hidden_size, config.num_labels)
                self.post_init()

    `Tagger.from_pretrained(...)` loads the encoder, gives the rest its fresh values, and says so.

    Attributes:
        num_labels: C of the config.
    """

    supports_gradient_checkpointing: ClassVar[bool] = True
    model_tags: ClassVar[None] = None
    _keys_to_ignore_on_save: ClassVar[None] = None

    def __init__(self, config: BertConfig, *of_others: Any, **more: Any) -> None:
        super().__init__(config, *of_others, **more)
        self.num_labels = config.num_labels
        self.warnings_issued: dict[str, bool] = {}
        self._asks_gradients: RemovableHandle | None = None

    @property
    def base_model(self) -> Any:
        """The encoder; of an encoder itself."""
        return getattr(self, self.base_model_prefix, self)

    @classmethod
    def can_generate(cls) -> bool:
        """No: an encoder writes no text."""
        return False

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """`input_ids [3, 5]`, to try whether it runs."""
        return {"input_ids": torch.arange(1, 6).repeat(3, 1) % self.config.vocab_size}

    def post_init(self) -> None:
        """To be called at the end of a constructor: fresh values for what has none yet."""
        self.init_weights()

    def init_weights(self) -> None:
        """Give every module that has not had its fresh values these by `_init_weights`, what is inside first."""
        self.apply(self._init_once)

    def _init_once(self, module: nn.Module) -> None:
        if not is_started(module) and not any(one.is_meta for one in module.parameters(recurse=False)):
            self._init_weights(module)
            mark_started(module)

    def _init_weights(self, module: nn.Module) -> None:
        """Give the parameters of one module fresh values, whatever they were; a class of one's own may do otherwise."""
        start_module(module, self.config.initializer_range)

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """How many numbers the model has learnt, tied ones once.

        Args:
            only_trainable: without those that are frozen.
            exclude_embeddings: without those of tables.
        """
        tables = {id(one.weight) for one in self.modules() if exclude_embeddings and isinstance(one, nn.Embedding)}
        counted = (one for one in self.parameters() if id(one) not in tables)
        return sum(one.numel() for one in counted if one.requires_grad or not only_trainable)

    def get_memory_footprint(self, return_buffers: bool = True) -> int:
        """Bytes of the parameters and the buffers."""
        tensors = [*self.parameters(), *(self.buffers() if return_buffers else ())]
        return sum(one.numel() * one.itemsize for one in tensors)

    # Words.

    def get_input_embeddings(self) -> nn.Module:
        """The word table."""
        table: nn.Module = self.base_model.embeddings.word_embeddings
        return table

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Put another word table in its place; a head that is tied to it reads the new one."""
        self.base_model.embeddings.word_embeddings = value

    def _heads(self) -> list[MaskedLanguageModelHead]:
        return [module for module in self.modules() if isinstance(module, MaskedLanguageModelHead)]

    def get_output_embeddings(self) -> nn.Module | None:
        """What scores words, with the head's own parameters (tied: the word table is its weight); None without it."""
        heads = self._heads()
        words: Any = self.get_input_embeddings().weight if heads else None
        return output_of(heads[0], words) if heads else None

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:
        """Put another matrix, and its bias where it has one, in the place of what scores words.

        Raises:
            BertwrightError: BW343 where there is none, or it is the word table and another one is given.
        """
        heads = self._heads()
        words: Any = self.get_input_embeddings().weight if heads else None
        head = heads[0] if heads else None
        if head is None or (head.decoder is None and new_embeddings.weight is not words):
            raise BertwrightError("BW343", model=type(self).__name__)
        if head.decoder is not None:
            head.decoder.weight = new_embeddings.weight
            head.decoder.out_features = len(new_embeddings.weight)
        if isinstance(new_embeddings.bias, nn.Parameter):
            head.bias = new_embeddings.bias

    def tie_weights(self, *_: Any, **__: Any) -> None:
        """A head that is tied reads the word table at every call; its bias gets as many rows as that has."""
        table = self.get_input_embeddings() if self._heads() else None
        for head in self._heads():
            if head.decoder is None and isinstance(table, nn.Embedding):
                resize_head(head, table.num_embeddings, 0.0)

    def resize_token_embeddings(
        self, new_num_tokens: int | None = None, pad_to_multiple_of: int | None = None, mean_resizing: bool = True
    ) -> nn.Module:
        """Let the model know another number of words: the word table, what scores words, and the config.

        Args:
            new_num_tokens: V; None: as many as there are.
            pad_to_multiple_of: rounds V up.
            mean_resizing: whether a new row is the mean of those that were there; else it is fresh.

        Returns:
            The word table.

        Raises:
            BertwrightError: BW310 a number that cannot be V, BW344 a model with two tables.
        """
        table = self.get_input_embeddings()
        if not isinstance(table, nn.Embedding) or self.config.model_type == "encoder-decoder":
            raise BertwrightError("BW344", model=type(self).__name__)
        rows = table.num_embeddings if new_num_tokens is None else new_num_tokens
        rows = -(-rows // pad_to_multiple_of) * pad_to_multiple_of if pad_to_multiple_of else rows
        replace(self.config, vocab_size=rows)  # which says where it is none
        if rows != table.num_embeddings:
            deviation = None if mean_resizing else self.config.initializer_range
            self.set_input_embeddings(resized_table(table, rows, deviation))
            for head in self._heads():
                resize_head(head, rows, deviation)
        for module in self.modules():
            if isinstance(module, Pretrained):
                module.config.vocab_size = rows
        return self.get_input_embeddings()

    # Memory.

    def checkpoint_layers(self, wanted: bool) -> None:
        """Whether training keeps only the input of each layer; see `Encoder`."""
        for module in self.modules():
            if isinstance(getattr(module, "checkpointing", None), bool):
                module.checkpointing = wanted  # type: ignore[assignment]

    def gradient_checkpointing_enable(
        self, gradient_checkpointing_kwargs: Mapping[str, Any] | None = None, **_: Any
    ) -> None:
        """Let training keep only the input of each layer, and compute what is inside it once more (Chen et al. 2016).

        `use_reentrant` changes nothing: the gradients are the same in both ways.
        """
        self.checkpoint_layers(True)

    def gradient_checkpointing_disable(self) -> None:
        """Let training keep everything."""
        self.checkpoint_layers(False)

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether training keeps only the input of each layer."""
        return any(getattr(module, "checkpointing", None) is True for module in self.modules())

    activation_checkpointing_disable = gradient_checkpointing_disable
    is_activation_checkpointing = is_gradient_checkpointing

    def activation_checkpointing_enable(self, *_: Any, **__: Any) -> None:
        """As `gradient_checkpointing_enable`, in every layer."""
        self.checkpoint_layers(True)

    def enable_input_require_grads(self) -> None:
        """Let gradients reach the output of the word table though it is frozen, for adapters in the layers."""
        if self._asks_gradients is None:
            self._asks_gradients = self.get_input_embeddings().register_forward_hook(_ask_gradients)

    def disable_input_require_grads(self) -> None:
        """Take back `enable_input_require_grads`."""
        if self._asks_gradients is not None:
            self._asks_gradients.remove()
            self._asks_gradients = None

    # What is not there.

    def set_attn_implementation(self, *_: Any, **__: Any) -> None:
        """Nothing to choose: the fastest attention of the device is taken, and all compute the same."""

    def prune_heads(self, heads_to_prune: Mapping[int, Any]) -> None:
        """Not here.

        Raises:
            BertwrightError: BW345 always.
        """
        raise BertwrightError("BW345", model=type(self).__name__)

    def push_to_hub(self, *_: Any, **__: Any) -> None:
        """Not here.

        Raises:
            BertwrightError: BW316 always.
        """
        settle_saving(f"{type(self).__name__}.save_pretrained", {"push_to_hub": True})


def _ask_gradients(_: nn.Module, __: Any, output: Tensor) -> None:
    output.requires_grad_(True)
