"""From texts to what a model reads, and from its scores back to texts."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tests.programs.place import CHINESE, CONTEXT, LABELS, PAIRS, QUESTION, TAGS, TEXTS, WORDS, Place, alike, classifier


def a_dataset_that_encodes_one_text(lib: Any, place: Place) -> Any:
    """`encode_plus` with `max_length`, as in hundreds of notebooks."""

    class Reviews(Dataset):
        def __init__(self, texts: list[str], targets: list[int], tokenizer: Any, max_len: int) -> None:
            self.texts, self.targets, self.tokenizer, self.max_len = texts, targets, tokenizer, max_len

        def __len__(self) -> int:
            return len(self.texts)

        def __getitem__(self, item: int) -> dict[str, Any]:
            encoding = self.tokenizer.encode_plus(
                self.texts[item],
                add_special_tokens=True,
                max_length=self.max_len,
                truncation=True,
                return_token_type_ids=False,
                padding="max_length",
                return_attention_mask=True,
                return_tensors="pt",
            )
            return {
                "input_ids": encoding["input_ids"].flatten(),
                "attention_mask": encoding["attention_mask"].flatten(),
                "targets": torch.tensor(self.targets[item], dtype=torch.long),
            }

    tokenizer = place.tokenizer.from_pretrained(place.base)
    loader = DataLoader(Reviews(TEXTS, LABELS, tokenizer, 8), batch_size=4)
    batch = next(iter(loader))
    logits = classifier(lib, place)(batch["input_ids"], batch["attention_mask"]).logits
    return batch["input_ids"], F.cross_entropy(logits, batch["targets"])


def pads_to_the_length_asked_for(lib: Any, place: Place) -> Any:
    """`pad_to_max_length=True`, from before there was `padding`."""
    tokenizer = place.tokenizer.from_pretrained(place.base, do_lower_case=True)
    ids, masks = [], []
    for text in TEXTS:
        encoded = tokenizer.encode_plus(
            text,
            add_special_tokens=True,
            max_length=16,
            pad_to_max_length=True,
            return_attention_mask=True,
            return_tensors="pt",
        )
        ids.append(encoded["input_ids"])
        masks.append(encoded["attention_mask"])
    inputs, mask = torch.cat(ids, dim=0), torch.cat(masks, dim=0)
    return inputs, mask, classifier(lib, place)(inputs, token_type_ids=None, attention_mask=mask)[0]


def many_texts_at_once(lib: Any, place: Place) -> Any:
    tokenizer = place.tokenizer.from_pretrained(place.base)
    encoded = tokenizer.batch_encode_plus(TEXTS, max_length=12, padding=True, truncation=True, return_tensors="pt")
    pairs = tokenizer.batch_encode_plus(PAIRS, padding="longest", return_tensors="np")
    return dict(encoded), dict(pairs), classifier(lib, place)(**encoded).logits


def features_made_by_hand(lib: Any, place: Place) -> Any:
    """The features of 2019: tokens, [CLS] and [SEP], ids, a mask, segments."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    rows = []
    for first, second in PAIRS:
        tokens = ["[CLS]", *tokenizer.tokenize(first), "[SEP]"]
        segments = [0] * len(tokens)
        more = [*tokenizer.tokenize(second), "[SEP]"]
        tokens, segments = tokens + more, segments + [1] * len(more)
        ids = tokenizer.convert_tokens_to_ids(tokens)
        pads = 20 - len(ids)
        rows.append((ids + [0] * pads, [1] * len(ids) + [0] * pads, segments + [0] * pads))
    inputs, masks, types = (torch.tensor(column) for column in zip(*rows))
    return inputs, types, classifier(lib, place)(inputs, masks, types).logits


def ids_joined_by_the_tokenizer(lib: Any, place: Place) -> Any:
    tokenizer = place.tokenizer.from_pretrained(place.base)
    one, two = (tokenizer.encode(text, add_special_tokens=False) for text in PAIRS[0])
    ids = tokenizer.build_inputs_with_special_tokens(one, two)
    types = tokenizer.create_token_type_ids_from_sequences(one, two)
    return ids, types, tokenizer.decode(ids), tokenizer.decode(ids, skip_special_tokens=True)


def features_for_questions(lib: Any, place: Place) -> Any:
    """SQuAD: windows with a stride, and where the answer stands in each."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    inputs = tokenizer(
        [QUESTION],
        [CONTEXT],
        truncation="only_second",
        max_length=18,
        stride=4,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        padding="max_length",
    )
    sample_map, offsets = inputs.pop("overflow_to_sample_mapping"), inputs.pop("offset_mapping")
    begin = CONTEXT.index("the waiter")
    end, starts, ends = begin + len("the waiter"), [], []
    for i, offset in enumerate(offsets):
        ids = inputs.sequence_ids(i)
        first = ids.index(1)
        last = len(ids) - 1 - ids[::-1].index(1)
        if offset[first][0] > begin or offset[last][1] < end:
            starts.append(0)
            ends.append(0)
            continue
        while first <= last and offset[first][0] <= begin:
            first += 1
        starts.append(first - 1)
        while last >= 0 and offset[last][1] >= end:
            last -= 1
        ends.append(last + 1)
    model = alike(lib.BertForQuestionAnswering.from_pretrained(place.base))
    batch = {name: torch.tensor(rows) for name, rows in inputs.items()}
    output = model(**batch, start_positions=torch.tensor(starts), end_positions=torch.tensor(ends))
    output.loss.backward()
    return sample_map, starts, ends, output.loss, model.qa_outputs.weight.grad


def the_best_span_of_all_windows(lib: Any, place: Place) -> Any:
    """The postprocessing of the examples: n-best over windows, in characters."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    options = {"truncation": "only_second", "max_length": 18, "stride": 4, "padding": "max_length"}
    features = tokenizer(QUESTION, CONTEXT, return_overflowing_tokens=True, return_offsets_mapping=True, **options)
    model = alike(lib.BertForQuestionAnswering.from_pretrained(place.base)).eval()
    inputs = {name: torch.tensor(features[name]) for name in ("input_ids", "attention_mask", "token_type_ids")}
    with torch.no_grad():
        output = model(**inputs)
    answers = []
    for row in range(len(features["input_ids"])):
        offsets = [
            pair if features.sequence_ids(row)[at] == 1 else None
            for at, pair in enumerate(features["offset_mapping"][row])
        ]
        starts, ends = output.start_logits[row].numpy(), output.end_logits[row].numpy()
        for start in np.argsort(starts)[-1:-6:-1].tolist():
            for end in np.argsort(ends)[-1:-6:-1].tolist():
                if offsets[start] is None or offsets[end] is None or end < start or end - start > 5:
                    continue
                text = CONTEXT[offsets[start][0] : offsets[end][1]]
                answers.append((float(starts[start] + ends[end]), text))
    return sorted(answers, reverse=True)[:3]


def an_answer_in_one_window(lib: Any, place: Place) -> Any:
    tokenizer = place.tokenizer.from_pretrained(place.base)
    inputs = tokenizer.encode_plus(QUESTION, CONTEXT, add_special_tokens=True, return_tensors="pt")
    scores = alike(lib.BertForQuestionAnswering.from_pretrained(place.base))(**inputs)
    start, end = torch.argmax(scores.start_logits), torch.argmax(scores.end_logits) + 1
    ids = inputs["input_ids"].tolist()[0]
    words = tokenizer.convert_tokens_to_string(tokenizer.convert_ids_to_tokens(ids[start:end]))
    return int(start), int(end), words


def labels_of_words_for_pieces(lib: Any, place: Place) -> Any:
    """`tokenize_and_align_labels`, and the collator that pads them."""
    from transformers import DataCollatorForTokenClassification

    tokenizer = place.tokenizer.from_pretrained(place.base)
    inputs = tokenizer(WORDS, truncation=True, is_split_into_words=True)
    labels = []
    for i, tags in enumerate(TAGS):
        previous, ids = None, []
        for word in inputs.word_ids(batch_index=i):
            ids.append(-100 if word is None else tags[word] if word != previous else -100)
            previous = word
        labels.append(ids)
    inputs["labels"] = labels
    rows = [{name: inputs[name][i] for name in inputs} for i in range(len(WORDS))]
    batch = DataCollatorForTokenClassification(tokenizer)(rows)
    model = alike(lib.BertForTokenClassification.from_pretrained(place.base, num_labels=3))
    return {name: batch[name] for name in sorted(batch)}, model(**batch).loss


def entities_from_offsets(lib: Any, place: Place) -> Any:
    """Characters of entities to tokens, by `char_to_token`, and back by offsets."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    text = "Ada likes the coffee of Rome"
    encoded = tokenizer(text, return_offsets_mapping=True)
    tokens = [encoded.char_to_token(at) for at in (text.index("Ada"), text.index("Rome"), 3)]
    spans = [tuple(encoded["offset_mapping"][at]) for at in tokens if at is not None]
    return tokens, [text[start:end] for start, end in spans], encoded.tokens()


def dynamic_padding(lib: Any, place: Place) -> Any:
    from transformers import DataCollatorWithPadding

    tokenizer = place.tokenizer.from_pretrained(place.base)
    rows: Any = [{**tokenizer(text, truncation=True), "label": label} for text, label in zip(TEXTS, LABELS)]
    loader: Any = DataLoader(rows, batch_size=2, collate_fn=DataCollatorWithPadding(tokenizer, pad_to_multiple_of=4))
    model = classifier(lib, place)
    return [[tuple(batch["input_ids"].shape), model(**batch).loss.item()] for batch in loader]


def a_collate_function(lib: Any, place: Place) -> Any:
    tokenizer = place.tokenizer.from_pretrained(place.base)

    def collate(rows: list[tuple[str, int]]) -> Any:
        texts, labels = zip(*rows)
        batch = tokenizer(list(texts), padding="longest", truncation=True, max_length=10, return_tensors="pt")
        batch["labels"] = torch.tensor(labels)
        return batch.to("cpu")

    pairs: Any = list(zip(TEXTS, LABELS))
    loader: Any = DataLoader(pairs, batch_size=2, collate_fn=collate)
    model = classifier(lib, place)
    return [model(**batch).loss for batch in loader]


def masked_words_by_the_collator(lib: Any, place: Place) -> Any:
    """What is drawn is torch's: seeded, both draw the same."""
    from transformers import DataCollatorForLanguageModeling

    tokenizer = place.tokenizer.from_pretrained(place.base)
    torch.manual_seed(3)
    collator = DataCollatorForLanguageModeling(tokenizer=tokenizer, mlm=True, mlm_probability=0.4)
    batch = collator([tokenizer(text) for text in TEXTS])
    model = lib.BertForMaskedLM.from_pretrained(place.base)
    output = model(**batch)
    output.loss.backward()
    return batch["input_ids"], batch["labels"], output.loss, model.cls.predictions.bias.grad.norm()


def whole_words_masked(lib: Any, place: Place) -> Any:
    """The masks of the book: whole words, drawn by numpy, through `word_ids`."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    encoded = tokenizer(["the waiters were rude", "warm coffee of Rome"])
    rng, rows, labels = np.random.default_rng(5), [], []
    for i, ids in enumerate(encoded["input_ids"]):
        mapping: dict[int, list[int]] = collections.defaultdict(list)
        current, last = -1, None
        for at, word in enumerate(encoded.word_ids(i)):
            if word is not None:
                if word != last:
                    last, current = word, current + 1
                mapping[current].append(at)
        targets, ids = [-100] * len(ids), list(ids)
        for word in np.where(rng.binomial(1, 0.4, (len(mapping),)))[0]:
            for at in mapping[int(word)]:
                targets[at], ids[at] = ids[at], tokenizer.mask_token_id
        rows.append({"input_ids": ids, "attention_mask": [1] * len(ids)})
        labels.append(targets)
    batch = tokenizer.pad(rows, return_tensors="pt")
    width = batch["input_ids"].shape[1]
    target = torch.tensor([one + [-100] * (width - len(one)) for one in labels])
    return target, lib.BertForMaskedLM.from_pretrained(place.base)(**batch, labels=target).loss


def the_word_behind_a_mask(lib: Any, place: Place) -> Any:
    tokenizer = place.tokenizer.from_pretrained(place.base)
    model = lib.BertForMaskedLM.from_pretrained(place.base).eval()
    inputs = tokenizer(f"the soup was {tokenizer.mask_token} and good", return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
    at = (inputs.input_ids == tokenizer.mask_token_id)[0].nonzero(as_tuple=True)[0]
    top = logits[0, at].softmax(dim=-1).topk(5)
    return tokenizer.convert_ids_to_tokens(top.indices[0].tolist()), top.values, tokenizer.decode(top.indices[0, 0])


def pseudo_log_likelihood(lib: Any, place: Place) -> Any:
    """Salazar et al. 2020: each word masked once."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    model, scores = lib.BertForMaskedLM.from_pretrained(place.base).eval(), []
    for text in TEXTS[:2]:
        ids = tokenizer.encode(text, return_tensors="pt")
        rows = ids.repeat(ids.size(-1) - 2, 1)
        mask = torch.ones(ids.size(-1) - 1).diag(1)[:-2]
        masked = rows.masked_fill(mask == 1, tokenizer.mask_token_id)
        labels = rows.masked_fill(masked != tokenizer.mask_token_id, -100)
        with torch.inference_mode():
            scores.append(np.exp(model(masked, labels=labels).loss.item()))
    return scores


def new_words(lib: Any, place: Place) -> Any:
    """`add_tokens`, special ones, and a larger table."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    model = lib.BertForMaskedLM.from_pretrained(place.base)
    added = tokenizer.add_tokens(["gazpacho", "espresso"])
    added += tokenizer.add_special_tokens({"additional_special_tokens": ["<user>"]})
    model.resize_token_embeddings(len(tokenizer))
    with torch.no_grad():
        table = model.get_input_embeddings().weight
        table[-added:] = table[5:20].mean(0)
        model.get_output_embeddings().bias[-added:] = 0.0
    batch = tokenizer("<user> the gazpacho was good", return_tensors="pt")
    tokenizer.save_pretrained(place.scratch / "more")
    model.save_pretrained(place.scratch / "more")
    again = lib.BertForMaskedLM.from_pretrained(place.scratch / "more")
    reread = place.tokenizer.from_pretrained(place.scratch / "more")
    ids = reread("<user> the gazpacho was good")["input_ids"]
    return batch["input_ids"], ids, again(**batch).logits, model.config.vocab_size, reread.tokenize("espresso!")


def markers_around_entities(lib: Any, place: Place) -> Any:
    """R-BERT (Wu and He 2019): `$` and `#` as special tokens; states between them."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<e1>", "</e1>"]})
    model = lib.BertModel.from_pretrained(place.base)
    model.resize_token_embeddings(len(tokenizer))
    with torch.no_grad():
        model.embeddings.word_embeddings.weight[-2:] = torch.linspace(-1, 1, 64).view(2, 32)
    inputs = tokenizer("the <e1> waiter </e1> was rude", return_tensors="pt")
    ids = inputs["input_ids"][0].tolist()
    begin, end = (ids.index(tokenizer.convert_tokens_to_ids(one)) for one in ("<e1>", "</e1>"))
    states = model(**inputs).last_hidden_state[0]
    return ids, states[begin + 1 : end].mean(0), states[begin]


def a_long_text_in_chunks(lib: Any, place: Place) -> Any:
    """Ids cut into pieces of equal length, [CLS] and [SEP] around each, the mean of the answers."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    tokens = tokenizer.encode_plus(CONTEXT, add_special_tokens=False, return_tensors="pt")
    ids = list(tokens["input_ids"][0].split(10))
    masks = list(tokens["attention_mask"][0].split(10))
    for i in range(len(ids)):
        ids[i] = torch.cat([torch.tensor([tokenizer.cls_token_id]), ids[i], torch.tensor([tokenizer.sep_token_id])])
        masks[i] = torch.cat([torch.ones(1), masks[i], torch.ones(1)])
        room = 12 - ids[i].shape[0]
        ids[i], masks[i] = torch.cat([ids[i], torch.zeros(room)]), torch.cat([masks[i], torch.zeros(room)])
    rows: dict[str, Tensor] = {"input_ids": torch.stack(ids).long(), "attention_mask": torch.stack(masks).int()}
    outputs = classifier(lib, place)(**rows)
    return torch.nn.functional.softmax(outputs[0], dim=-1).mean(dim=0)


def chinese_texts(lib: Any, place: Place) -> Any:
    tokenizer = place.tokenizer.from_pretrained(place.base)
    batch = tokenizer(CHINESE, padding=True, return_tensors="pt")
    texts = tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True)
    model = lib.BertModel.from_pretrained(place.base)
    return tokenizer.tokenize(CHINESE[1]), texts, model(**batch).pooler_output


def the_small_attributes(lib: Any, place: Place) -> Any:
    """What programs ask a tokenizer of itself."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    special = (
        tokenizer.pad_token_id,
        tokenizer.cls_token,
        tokenizer.sep_token,
        tokenizer.mask_token,
        tokenizer.unk_token,
    )
    files = tokenizer.save_vocabulary(str(place.scratch))
    return (
        special, len(tokenizer), tokenizer.vocab_size, tokenizer.vocab["soup"], tokenizer.get_vocab()["[MASK]"],
        sorted(tokenizer.all_special_tokens), tokenizer.model_max_length, tokenizer.padding_side,
        tokenizer.model_input_names[0], tokenizer.is_fast, tokenizer.num_special_tokens_to_add(pair=True), len(files),
    )  # fmt: skip
