"""The table of the peers' own cases for BERT models: passed, on purpose, or not applicable, and none without a name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.parity import model_cases as cases
from tests.parity.model_cases import forward_of

Check = Callable[..., None]

PURPOSE, NOT_HERE = "on purpose: ", "not applicable: "
DECODER = NOT_HERE + "an encoder; what writes is BertForSeq2SeqLM (tests/parity/test_seq2seq.py)"
ONE_WAY = NOT_HERE + "there is one attention for each device, and its paths are tested against each other"
PLACES = NOT_HERE + "a model is on one device; nothing is split or offloaded"
LIBRARY = NOT_HERE + "tests how the peers organise their classes, which no program sees"

CASES: dict[str, Check | str] = {
    # test_modeling_bert.py
    "test_config": cases.check_config_common_properties,
    "test_model": partial(forward_of, "encoder"),
    "test_model_3d_mask_shapes": PURPOSE
    + "a mask is [B, S]: pads are packed away, and no token is hidden from one other",
    "test_model_as_decoder": DECODER,
    "test_model_as_decoder_with_default_input_mask": DECODER,
    "test_for_causal_lm": DECODER,
    "test_for_causal_lm_decoder": DECODER,
    "test_decoder_model_past_with_large_inputs": DECODER,
    "test_for_masked_lm": partial(forward_of, "masked-lm"),
    "test_for_multiple_choice": partial(forward_of, "choice"),
    "test_for_next_sequence_prediction": partial(forward_of, "next-sentence"),
    "test_for_pretraining": partial(forward_of, "pretraining"),
    "test_for_question_answering": partial(forward_of, "span"),
    "test_for_sequence_classification": partial(forward_of, "single-label", "multi-label", "regression"),
    "test_for_token_classification": partial(forward_of, "tokens"),
    "test_for_warning_if_padding_and_no_attention_mask": PURPOSE
    + "no mask says that nothing is a pad; a [PAD] is a token",
    "test_model_from_pretrained": cases.check_save_load,
    "test_inference_no_head": NOT_HERE
    + "the weights are downloads; tests/parity/test_full_size.py compares at full size",
    "test_sdpa_ignored_mask": cases.check_mask_left_out,
    "test_export": NOT_HERE + "of the peers' downloads; what is exported is tested in tests/model/test_recorded.py",
    # test_modeling_common.py
    "test_num_layers_is_small": NOT_HERE + "of the sizes that the peers' tests may have",
    "test_model_is_small": NOT_HERE + "of the sizes that the peers' tests may have",
    "test_save_load": cases.check_save_load,
    "test_load_contiguous_weights": cases.check_save_load,
    "test_save_load_low_cpu_mem_usage": cases.check_save_load,
    "test_can_use_safetensors": cases.check_save_load,
    "test_load_save_without_tied_weights": cases.check_untied_weights,
    "test_save_load_keys_to_ignore_on_save": LIBRARY,
    "test_from_pretrained_no_checkpoint": cases.check_missing_checkpoint,
    "test_load_with_mismatched_shapes": cases.check_mismatched_shapes,
    "test_mismatched_shapes_have_properly_initialized_weights": cases.check_mismatched_shapes,
    "test_matched_shapes_have_loaded_weights_when_some_mismatched_shapes_exist": cases.check_mismatched_shapes,
    "test_correct_missing_keys": cases.check_correct_missing_keys,
    "test_keep_in_fp32_modules": NOT_HERE + "no part of a BERT must stay in fp32",
    "test_bc_torch_dtype": cases.check_dtype_arguments,
    "test_can_load_with_device_context_manager": cases.check_load_with_device_contexts,
    "test_can_load_with_global_device_set": cases.check_load_with_device_contexts,
    "test_cannot_load_with_meta_device_context_manager": cases.check_load_with_device_contexts,
    "test_can_be_initialized_on_meta": cases.check_can_be_initialized_on_meta,
    "test_can_init_all_missing_weights": cases.check_correct_missing_keys,
    "test_init_weights_can_init_buffers": NOT_HERE
    + "a BERT has no buffers; those of people's own are in test_own_models.py",
    "test_initialization": cases.check_initialization,
    "test_all_tensors_are_parameter_or_buffer": cases.check_every_tensor_is_a_parameter_or_buffer,
    "test_determinism": cases.check_determinism,
    "test_batching_equivalence": cases.check_batching_equivalence,
    "test_left_padding_compatibility": NOT_HERE + "of models that write; test_forward.py pads left",
    "test_forward_signature": cases.check_forward_signature,
    "test_model_main_input_name": cases.check_base_model,
    "test_model_outputs_equivalence": cases.check_outputs_equivalence,
    "test_attention_outputs": cases.check_attention_outputs,
    "test_hidden_states_output": cases.check_hidden_states_output,
    "test_retain_grad_hidden_states_attentions": PURPOSE
    + "what is shown are padded copies; a hook on a layer sees gradients",
    "test_training": cases.check_training,
    "test_training_gradient_checkpointing": cases.check_gradient_checkpointing,
    "test_training_gradient_checkpointing_use_reentrant": cases.check_gradient_checkpointing,
    "test_gradient_checkpointing_backward_compatibility": cases.check_gradient_checkpointing_by_config,
    "test_gradient_checkpointing_enable_disable": cases.check_gradient_checkpointing,
    "test_peft_gradient_checkpointing_enable_disable": cases.check_input_require_grads,
    "test_enable_input_require_grads": cases.check_input_require_grads,
    "test_head_masking": cases.check_head_mask,
    "test_head_pruning": cases.check_prune_heads,
    "test_head_pruning_save_load_from_pretrained": cases.check_prune_heads,
    "test_head_pruning_integration": cases.check_prune_heads,
    "test_feed_forward_chunking": PURPOSE + "pads are not computed, and gradient checkpointing saves the memory",
    "test_resize_position_vector_embeddings": NOT_HERE + "the peers refuse it for a BERT",
    "test_resize_tokens_embeddings": cases.check_resize_tokens_embeddings,
    "test_resize_embeddings_untied": cases.check_resize_embeddings_untied,
    "test_model_get_set_embeddings": cases.check_get_set_embeddings,
    "test_tie_model_weights": cases.check_tied_weights,
    "test_tied_weights_keys": cases.check_tied_weights,
    "test_model_weights_reload_no_missing_tied_weights": cases.check_tied_weights,
    "test_tied_weights_are_always_tied_from_config": cases.check_tied_weights,
    "test_inputs_embeds": cases.check_inputs_embeds,
    "test_inputs_embeds_matches_input_ids": cases.check_inputs_embeds,
    "test_multi_gpu_data_parallel_forward": cases.check_data_parallel,
    "test_cpu_offload": PLACES,
    "test_disk_offload_bin": PLACES,
    "test_disk_offload_safetensors": PLACES,
    "test_model_parallelism": PLACES,
    "test_problem_types": cases.check_problem_types,
    "test_sdpa_can_dispatch_composite_models": ONE_WAY,
    "test_eager_matches_sdpa_inference": ONE_WAY,
    "test_flash_attn_2_inference_equivalence": ONE_WAY,
    "test_flash_attn_2_can_dispatch_composite_models": ONE_WAY,
    "test_flex_attention_with_grads": ONE_WAY,
    "test_config_attn_implementation_setter": ONE_WAY,
    "test_custom_4d_attention_mask": ONE_WAY,
    "test_torch_compile_for_training": NOT_HERE
    + "of the peers' static shapes; what is compiled is tested in tests/model/test_recorded.py",
    "test_torch_export": NOT_HERE
    + "of the peers' static shapes; what is exported is tested in tests/model/test_recorded.py",
    "test_internal_model_config_and_subconfig_are_same": LIBRARY,
    "test_reverse_loading_mapping": LIBRARY,
    "test_capture_outputs_decorator": LIBRARY,
    # test_configuration_common.py
    "create_and_test_config_common_properties": cases.check_config_common_properties,
    "create_and_test_config_to_json_string": cases.check_config_json,
    "create_and_test_config_to_json_file": cases.check_config_json,
    "create_and_test_config_from_and_save_pretrained": cases.check_config_json,
    "create_and_test_config_with_num_labels": cases.check_config_with_num_labels,
    "check_config_can_be_init_without_params": cases.check_config_common_properties,
    "check_config_arguments_init": cases.check_config_arguments,
    # What programs rely on and no case of theirs asks alone.
    "test_state_dict_of_save_pretrained": cases.check_save_load_of_a_state,
    "test_gradients_by_hooks": cases.check_gradients_by_hooks,
    "test_resized_and_reloaded": cases.check_resized_and_reloaded,
    "test_num_parameters": cases.check_num_parameters,
    "test_model_fp16_forward": cases.check_half_precision,
    "test_inference_under_modes": cases.check_no_torch_function_mode,
    "test_base_model": cases.check_base_model,
    "test_pickle": cases.check_pickle_and_copy,
}

OUTCOMES = {name: case for name, case in CASES.items() if not isinstance(case, str)}
CHECKS = {check.args if isinstance(check, partial) else check.__name__: check for check in OUTCOMES.values()}


@pytest.mark.parametrize("check", CHECKS.values(), ids=[str(name) for name in CHECKS])
def test_a_case_of_the_peers(check: Check, tmp_path: Path) -> None:
    if "folder" in inspect.signature(check).parameters:
        check(folder=tmp_path)
    else:
        check()


def test_every_case_has_an_outcome_and_every_check_is_of_a_case() -> None:
    reasons = [case for case in CASES.values() if isinstance(case, str)]
    assert all(reason.startswith((PURPOSE, NOT_HERE)) and len(reason.partition(": ")[2]) > 20 for reason in reasons)
    named = {check for name, check in vars(cases).items() if name.startswith("check_")}
    assert named == {check for check in OUTCOMES.values() if not isinstance(check, partial)}
    counts = [sum(reason.startswith(word) for reason in reasons) for word in (PURPOSE, NOT_HERE)]
    assert (len(OUTCOMES), *counts) == (73, 4, 30)
