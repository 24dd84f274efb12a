"""The table of the peers' own cases for BERT tokenizers: passed, on purpose, or not applicable, none without a name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parity import tokenizer_cases as cases

Check = Callable[..., None]

PURPOSE, NOT_HERE = "on purpose: ", "not applicable: "
ONE_KIND = NOT_HERE + "there is one tokenizer, and none in Python to compare it with"
PIECES = NOT_HERE + "of SentencePiece and byte pairs; a BERT has WordPiece"
CHAT = NOT_HERE + "of conversations; a BERT reads texts"
WRITES = NOT_HERE + "of tokens that begin and end what a model writes; a BERT has none"
TRAINING = PURPOSE + "a vocabulary of texts is made by `bertwright vocab`, and tested there"
LIBRARY = NOT_HERE + "tests how the peers organise their classes, which no program sees"
DOWNLOADS = NOT_HERE + "the vocabulary is a download; tests/text compares both libraries over real vocabularies"

CASES: dict[str, Check | str] = {
    # test_tokenization_bert.py
    "test_full_tokenizer": cases.check_full_tokenizer,
    "test_rust_and_python_full_tokenizers": ONE_KIND,
    "test_chinese": cases.check_chinese_characters,
    "test_basic_tokenizer_lower": cases.check_case_and_accents,
    "test_basic_tokenizer_lower_strip_accents_false": cases.check_case_and_accents,
    "test_basic_tokenizer_lower_strip_accents_true": cases.check_case_and_accents,
    "test_basic_tokenizer_lower_strip_accents_default": cases.check_case_and_accents,
    "test_basic_tokenizer_no_lower": cases.check_case_and_accents,
    "test_basic_tokenizer_no_lower_strip_accents_false": cases.check_case_and_accents,
    "test_basic_tokenizer_no_lower_strip_accents_true": cases.check_case_and_accents,
    "test_basic_tokenizer_respects_never_split_tokens": cases.check_words_that_are_never_split,
    "test_basic_tokenizer_splits_on_punctuation": cases.check_splits_on_punctuation,
    "test_wordpiece_tokenizer": cases.check_pieces_of_a_word,
    "test_is_whitespace": cases.check_spaces_controls_and_marks,
    "test_is_control": cases.check_spaces_controls_and_marks,
    "test_is_punctuation": cases.check_spaces_controls_and_marks,
    "test_clean_text": cases.check_clean_text,
    "test_sequence_builders": cases.check_sequence_builders,
    "test_offsets_with_special_characters": cases.check_offsets,
    "test_change_tokenize_chinese_chars": cases.check_chinese_characters,
    # test_tokenization_common.py
    "test_integration": DOWNLOADS,
    "test_integration_from_extractor": LIBRARY,
    "test_pretrained_model_lists": DOWNLOADS,
    "test_rust_tokenizer_signature": cases.check_signatures,
    "test_tokenizer_slow_store_full_signature": ONE_KIND,
    "test_tokenizer_fast_store_full_signature": cases.check_signatures,
    "test_model_input_names_signature": cases.check_signatures,
    "test_tokenizers_common_properties": cases.check_attributes_of_special_tokens,
    "test_tokenizers_common_ids_setters": cases.check_attributes_of_special_tokens,
    "test_save_and_load_tokenizer": cases.check_save_and_load,
    "test_save_pretrained": cases.check_save_and_load,
    "test_saving_tokenizer_trainer": cases.check_save_and_load,
    "test_save_slow_from_fast_and_reload_fast": ONE_KIND,
    "test_pickle_tokenizer": cases.check_pickle,
    "test_pickle_added_tokens": cases.check_added_tokens_are_kept,
    "test_pickle_subword_regularization_tokenizer": PIECES,
    "test_subword_regularization_tokenizer": PIECES,
    "test_save_sentencepiece_tokenizer": PIECES,
    "test_sentencepiece_tokenize_and_convert_tokens_to_string": PIECES,
    "test_sentencepiece_tokenize_and_decode": PIECES,
    "test_added_tokens_do_lower_case": cases.check_added_tokens,
    "test_add_tokens_tokenizer": cases.check_added_tokens,
    "test_add_tokens": cases.check_added_tokens,
    "test_number_of_added_tokens": cases.check_sequence_builders,
    "test_added_token_are_matched_longest_first": cases.check_longest_added_token_first,
    "test_added_token_serializable": cases.check_added_tokens_are_kept,
    "test_added_tokens_serialization": cases.check_added_tokens_are_kept,
    "test_add_special_tokens": cases.check_add_special_tokens,
    "test_special_token_addition": cases.check_add_special_tokens,
    "test_compare_add_special_tokens": cases.check_sequence_builders,
    "test_special_tokens_initialization": cases.check_named_special_tokens_are_kept,
    "test_special_tokens_initialization_with_non_empty_additional_special_tokens": (
        cases.check_named_special_tokens_are_kept
    ),
    "test_pad_token_initialization": cases.check_named_special_tokens_are_kept,
    "test_special_tokens_overwrite": cases.check_named_special_tokens_are_kept,
    "test_tokenizer_initialization_with_conflicting_key": PURPOSE
    + "an argument that is no setting is refused, whether a method has its name or not",
    "test_internal_consistency": cases.check_internal_consistency,
    "test_encode_decode_with_spaces": cases.check_decoding,
    "test_clean_up_tokenization_spaces": cases.check_decoding,
    "test_mask_output": cases.check_mask_token,
    "test_token_type_ids": cases.check_token_type_ids,
    "test_create_token_type_ids": cases.check_sequence_builders,
    "test_build_inputs_with_special_tokens": cases.check_sequence_builders,
    "test_right_and_left_padding": cases.check_sides,
    "test_right_and_left_truncation": cases.check_sides,
    "test_padding_side_in_kwargs": cases.check_sides,
    "test_truncation_side_in_kwargs": cases.check_sides,
    "test_padding": cases.check_padding,
    "test_padding_to_max_length": cases.check_padding,
    "test_padding_to_multiple_of": cases.check_padding,
    "test_padding_with_attention_mask": cases.check_pad_of_inputs,
    "test_padding_different_model_input_name": NOT_HERE + "what a BERT reads is called input_ids",
    "test_padding_warning_message_fast_tokenizer": PURPOSE + "inputs may as well be padded later, and nothing is said",
    "test_maximum_encoding_length_single_input": cases.check_longest_inputs,
    "test_maximum_encoding_length_pair_input": cases.check_longest_inputs,
    "test_max_length_equal": cases.check_longest_inputs,
    "test_special_tokens_mask": cases.check_special_tokens_mask,
    "test_special_tokens_mask_input_pairs": cases.check_special_tokens_mask,
    "test_special_tokens_mask_already_has_special_tokens": cases.check_special_tokens_mask,
    "test_encode_plus_with_padding": cases.check_padding,
    "test_batch_encode_plus_batch_sequence_length": cases.check_call,
    "test_batch_encode_plus_padding": cases.check_padding,
    "test_batch_encode_plus_overflowing_tokens": cases.check_parts_of_long_texts,
    "test_batch_encode_dynamic_overflowing": cases.check_parts_of_long_texts,
    "test_batch_encode_plus_tensors": cases.check_tensors,
    "test_torch_encode_plus_sent_to_model": cases.check_sent_to_a_model,
    "test_np_encode_plus_sent_to_model": cases.check_tensors,
    "test_pretokenized_inputs": cases.check_given_words,
    "test_compare_pretokenized_inputs": cases.check_given_words,
    "test_prepare_for_model": cases.check_sequence_builders,
    "test_compare_prepare_for_model": cases.check_sequence_builders,
    "test_prepare_seq2seq_batch": NOT_HERE + "the peers have dropped it; text_target gives labels",
    "test_separate_tokenizers": cases.check_several_tokenizers_do_not_meet,
    "test_call": cases.check_call,
    "test_empty_input_string": cases.check_empty_texts,
    "test_fast_only_inputs": cases.check_fast_only_inputs,
    "test_alignement_methods": cases.check_alignment,
    "test_offsets_mapping": cases.check_offsets,
    "test_tokenization_python_rust_equals": ONE_KIND,
    "test_num_special_tokens_to_add_equal": cases.check_sequence_builders,
    "test_special_tokens_map_equal": cases.check_special_tokens_map,
    "test_embeded_special_tokens": cases.check_special_tokens_in_texts,
    "test_tokenize_special_tokens": cases.check_special_tokens_in_texts,
    "test_split_special_tokens": cases.check_special_tokens_in_texts,
    "test_get_vocab": cases.check_conversion_is_reversible,
    "test_conversion_reversible": cases.check_conversion_is_reversible,
    "test_convert_tokens_to_string_format": cases.check_internal_consistency,
    "test_tokenizer_mismatch_warning": PURPOSE + "what the files hold counts, not the class that wrote them",
    "test_training_new_tokenizer": TRAINING,
    "test_training_new_tokenizer_with_special_tokens_change": TRAINING,
    "test_bos_token_with_add_bos_token_true": WRITES,
    "test_bos_token_with_add_bos_token_false": WRITES,
    "test_chat_template": CHAT,
    "test_chat_template_batched": CHAT,
    "test_chat_template_save_loading": CHAT,
    "test_chat_template_return_assistant_tokens_mask": CHAT,
    "test_continue_final_message": CHAT,
    "test_jinja_loopcontrols": CHAT,
    "test_jinja_strftime": CHAT,
    "test_tokenizers_backend_from_native_format": LIBRARY,
    # test_tokenization_utils.py
    "test_batch_encoding_pickle": cases.check_what_a_batch_is,
    "test_batch_encoding_is_fast": cases.check_what_a_batch_is,
    "test_batch_encoding_word_to_tokens": cases.check_alignment,
    "test_batch_encoding_with_labels_np": cases.check_what_a_batch_is,
    "test_batch_encoding_with_labels_pt": cases.check_what_a_batch_is,
    "test_padding_accepts_tensors": cases.check_pad_of_inputs,
    "test_padding_accepts_tensors_pt": cases.check_pad_of_inputs,
    "test_instantiation_from_tokenizers": PURPOSE
    + "a tokenizer of the library is saved as tokenizer.json and read from its folder",
    "test_instantiation_from_tokenizers_json_file": cases.check_library_tokenizer,
    "test_len_tokenizer": cases.check_sizes_of_a_larger_model,
    "test_cached_files_are_used_when_internet_is_down": NOT_HERE + "tests/checkpoint does it for models and tokenizers",
    "test_legacy_load_from_one_file": cases.check_reading_one_file,
}

OUTCOMES = {name: case for name, case in CASES.items() if not isinstance(case, str)}
CHECKS = {check.__name__: check for check in OUTCOMES.values()}


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_a_case_of_the_peers(check: Check, tmp_path: Path) -> None:
    if "folder" in inspect.signature(check).parameters:
        check(folder=tmp_path)
    else:
        check()


def test_every_case_has_an_outcome_and_every_check_is_of_a_case() -> None:
    reasons = [case for case in CASES.values() if isinstance(case, str)]
    assert all(reason.startswith((PURPOSE, NOT_HERE)) and len(reason.partition(": ")[2]) > 20 for reason in reasons)
    named = {check for name, check in vars(cases).items() if name.startswith("check_")}
    assert named == set(OUTCOMES.values())
    counts = [sum(reason.startswith(word) for reason in reasons) for word in (PURPOSE, NOT_HERE)]
    assert (len(OUTCOMES), *counts) == (100, 6, 25)
