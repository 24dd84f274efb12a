"""What the tensors of a model were called in the states of trainings up to 0.1.0.

Weights in files have had the names of the peers all along; the optimizer's moments stood under names of our own.
"""

from __future__ import annotations

import re

_PARTS = (
    (r"encoder\.embeddings\.", "embeddings."),
    (r"(?<=decoder\.)layers\.", "encoder.layers."),
    (r"embeddings\.(word|position|token_type)\.", r"embeddings.\1_embeddings."),
    (r"embeddings\.norm\.", "embeddings.LayerNorm."),
    (r"encoder\.layers\.", "encoder.layer."),
    (r"\.attention\.qkv\.", ".attention.self.qkv."),
    (r"\.attention\.output\.", ".attention.output.dense."),
    (r"\.attention_norm\.", ".attention.output.LayerNorm."),
    (r"\.cross_attention\.(query|key_value)\.", r".crossattention.self.\1."),
    (r"\.cross_attention\.output\.", ".crossattention.output.dense."),
    (r"\.cross_attention_norm\.", ".crossattention.output.LayerNorm."),
    (r"\.feed_forward\.up\.", ".intermediate.dense."),
    (r"\.feed_forward\.down\.", ".output.dense."),
    (r"\.feed_forward_norm\.", ".output.LayerNorm."),
    (r"^mlm\.dense\.", "cls.predictions.transform.dense."),
    (r"^mlm\.norm\.", "cls.predictions.transform.LayerNorm."),
    (r"^mlm\.", "cls.predictions."),
    (r"^nsp\.", "cls.seq_relationship."),
    (r"^bridge\.", "enc_to_dec_proj."),
)


def name_of_today(former: str, of_two_parts: bool) -> str:
    """What the tensor `former` is called now; `of_two_parts`: in an encoder-decoder."""
    name = former
    for pattern, replacement in _PARTS:
        name = re.sub(pattern, replacement, name)
    if not of_two_parts:
        return name
    name = re.sub(r"^bert\.", "encoder.", name)
    name = re.sub(r"^decoder\.", "decoder.bert.", name)
    return re.sub(r"^cls\.", "decoder.cls.", name)
