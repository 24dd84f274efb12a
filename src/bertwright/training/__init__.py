"""Loss to better weights."""

from bertwright.training.finetune import finetune

__all__ = ["finetune"]
