"""What people put on the encoder."""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.programs.place import LABELS, PAIRS, TAGS, TEXTS, WORDS, Place, alike, classifier


def _tagged(place: Place) -> tuple[Any, Tensor]:
    """Words in pieces, and a label for the first piece of each."""
    tokenizer = place.tokenizer.from_pretrained(place.base)
    batch = tokenizer(WORDS, is_split_into_words=True, padding=True, return_tensors="pt")
    rows = []
    for row, tags in enumerate(TAGS):
        before, labels = None, []
        for word in batch.word_ids(batch_index=row):
            labels.append(-100 if word is None or word == before else tags[word])
            before = word
        rows.append(labels)
    return batch, torch.tensor(rows)


def a_module_around_the_encoder(lib: Any, place: Place) -> Any:
    class BertClassifier(nn.Module):
        def __init__(self, dropout: float = 0.0) -> None:
            super().__init__()
            self.bert = lib.BertModel.from_pretrained(place.base)
            self.dropout = nn.Dropout(dropout)
            self.linear = nn.Linear(self.bert.config.hidden_size, 5)
            self.relu = nn.ReLU()

        def forward(self, input_id: Tensor, mask: Tensor) -> Tensor:
            _, pooled_output = self.bert(input_ids=input_id, attention_mask=mask, return_dict=False)
            return self.relu(self.linear(self.dropout(pooled_output)))

    model, batch = alike(BertClassifier()), place.read(TEXTS)
    logits = model(batch["input_ids"], batch["attention_mask"])
    F.cross_entropy(logits, place.labels).backward()
    return logits, model.bert.embeddings.word_embeddings.weight.grad.norm()


def a_recurrent_head(lib: Any, place: Place) -> Any:
    """A BiLSTM over the tokens, packed by their lengths."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = lib.BertModel.from_pretrained(place.base)
            self.lstm = nn.LSTM(32, 8, batch_first=True, bidirectional=True)
            self.fc = nn.Linear(16, 2)

        def forward(self, batch: Any) -> Tensor:
            states = self.bert(**batch).last_hidden_state
            lengths = batch["attention_mask"].sum(1).cpu()
            packed = nn.utils.rnn.pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
            _, (hidden, _) = self.lstm(packed)
            return self.fc(torch.cat([hidden[-2], hidden[-1]], dim=1))

    model = alike(Net())
    logits = model(place.read(TEXTS))
    F.cross_entropy(logits, place.labels).backward()
    return logits, model.bert.encoder.layer[2].output.dense.weight.grad.norm()


def a_recurrent_tagger_with_a_crf(lib: Any, place: Place) -> Any:
    from torchcrf import CRF

    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = lib.BertModel.from_pretrained(place.base, add_pooling_layer=False)
            self.bilstm = nn.LSTM(32, 8, bidirectional=True, batch_first=True)
            self.hidden2tag = nn.Linear(16, 3)
            self.crf = CRF(3, batch_first=True)

        def forward(self, batch: Any, tags: Tensor | None = None) -> Any:
            mask = batch["attention_mask"].bool()
            lengths = mask.sum(1)
            packed = nn.utils.rnn.pack_padded_sequence(
                self.bert(**batch)[0], lengths, batch_first=True, enforce_sorted=False
            )
            states, _ = nn.utils.rnn.pad_packed_sequence(self.bilstm(packed)[0], batch_first=True)
            emissions = self.hidden2tag(states)
            return self.crf.decode(emissions, mask) if tags is None else -self.crf(emissions, tags, mask=mask)

    model, (batch, labels) = alike(Tagger()), _tagged(place)
    loss = model(batch, labels.clamp(min=0))
    loss.backward()
    return loss, model(batch), model.bert.encoder.layer[0].attention.output.dense.weight.grad.norm()


def a_convolution_over_tokens(lib: Any, place: Place) -> Any:
    bert, batch = lib.BertModel.from_pretrained(place.base), place.read(TEXTS)
    convolutions = nn.ModuleList(nn.Conv1d(32, 4, size) for size in (2, 3))
    for index, layer in enumerate(convolutions):
        nn.init.constant_(layer.weight, 0.05 * (index + 1))  # type: ignore[arg-type]
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    states = bert(**batch).last_hidden_state * batch["attention_mask"].unsqueeze(-1)
    return torch.cat([F.relu(layer(states.transpose(1, 2))).amax(-1) for layer in convolutions], 1)


def a_subclass_with_two_heads(lib: Any, place: Place) -> Any:
    """Intents of texts and slots of tokens, as a `BertPreTrainedModel`."""

    class Joint(lib.BertPreTrainedModel):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.num_labels = config.num_labels
            self.bert = lib.BertModel(config)
            self.dropout = nn.Dropout(config.hidden_dropout_prob)
            self.intent = nn.Linear(config.hidden_size, config.num_labels)
            self.slots = nn.Linear(config.hidden_size, 4)
            self.post_init()

        def forward(self, input_ids: Any = None, attention_mask: Any = None, token_type_ids: Any = None) -> Any:
            outputs = self.bert(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
            return self.intent(self.dropout(outputs[1])), self.slots(self.dropout(outputs[0]))

    model, batch = alike(Joint.from_pretrained(place.base, num_labels=3)), place.read(TEXTS)
    intent, slots = model(**batch)
    model.save_pretrained(place.scratch / "joint")
    again = Joint.from_pretrained(place.scratch / "joint")
    mask = batch["attention_mask"].unsqueeze(-1)
    return intent, slots * mask, again(**batch)[0], again.num_labels, model.base_model is model.bert


def a_subclass_of_a_model_with_a_head(lib: Any, place: Place) -> Any:
    class Weighted(lib.BertForSequenceClassification):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.classifier = nn.Sequential(nn.Linear(config.hidden_size, 8), nn.Tanh(), nn.Linear(8, 3))
            self.register_buffer("weights", torch.tensor([0.2, 0.3, 0.5]))

        def forward(self, labels: Any = None, **inputs: Any) -> Any:
            output = super().forward(**inputs)
            loss = None if labels is None else F.cross_entropy(output.logits, labels, weight=self.weights)
            return loss, output.logits

    torch.manual_seed(0)
    config = lib.BertConfig.from_pretrained(place.base, num_labels=3)
    model = alike(Weighted(config))
    model.bert.load_state_dict(lib.BertModel.from_pretrained(place.base).state_dict())
    return model.eval()(**place.read(TEXTS), labels=place.labels)


def a_replaced_classifier(lib: Any, place: Place) -> Any:
    model = classifier(lib, place)
    model.classifier = nn.Sequential(nn.Linear(model.config.hidden_size, 16), nn.ReLU(), nn.Linear(16, 2))
    model.dropout = nn.Identity()
    alike(model)
    output = model(**place.read(TEXTS), labels=place.labels)
    output.loss.backward()
    return output.loss, output.logits, model.classifier[0].weight.grad.norm()


def another_dropout(lib: Any, place: Place) -> Any:
    model, batch = classifier(lib, place).train(), place.read(TEXTS)
    still = bool(torch.equal(model(**batch).logits, model(**batch).logits))
    model.dropout = nn.Dropout(0.5)
    return still, bool(torch.equal(model(**batch).logits, model(**batch).logits))


def several_labels_at_once(lib: Any, place: Place) -> Any:
    model = classifier(lib, place, 3, problem_type="multi_label_classification")
    labels = torch.tensor([[1.0, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]])
    output = model(**place.read(TEXTS), labels=labels)
    output.loss.backward()
    return output.loss, (output.logits.sigmoid() > 0.5).int()


def a_value_to_predict(lib: Any, place: Place) -> Any:
    model = classifier(lib, place, 1)
    output = model(**place.read(TEXTS), labels=torch.tensor([0.5, -1.0, 2.0, 0.0]))
    output.loss.backward()
    return output.loss, output.logits.squeeze(-1)


def names_of_classes(lib: Any, place: Place) -> Any:
    names = {0: "bad", 1: "good"}
    model = classifier(lib, place, id2label=names, label2id={name: index for index, name in names.items()})
    with torch.no_grad():
        found = model(**place.read(TEXTS)).logits.argmax(dim=-1)
    return [model.config.id2label[index.item()] for index in found], model.config.label2id, model.num_labels


def pairs_of_texts(lib: Any, place: Place) -> Any:
    first, second = zip(*PAIRS)
    batch = place.read(list(first), list(second))
    output = classifier(lib, place, 3)(**batch, labels=torch.tensor([0, 2, 1]))
    return output.loss, output.logits, batch["token_type_ids"]


def next_sentences(lib: Any, place: Place) -> Any:
    model = lib.BertForNextSentencePrediction.from_pretrained(place.base)
    batch = place.read([one for one, _ in PAIRS], [two for _, two in PAIRS])
    output = model(**batch, labels=torch.tensor([0, 1, 0]))
    return output.loss, torch.softmax(output.logits, dim=1)[:, 0]


def multiple_choice(lib: Any, place: Place) -> Any:
    model = alike(lib.BertForMultipleChoice.from_pretrained(place.base))
    tokenizer = place.tokenizer.from_pretrained(place.base)
    prompt, choices = TEXTS[0], ["the soup was warm", "the soup was cold", "good music"]
    encoding = tokenizer([prompt] * 3, choices, return_tensors="pt", padding=True)
    outputs = model(**{k: v.unsqueeze(0) for k, v in encoding.items()}, labels=torch.tensor(0).unsqueeze(0))
    outputs.loss.backward()
    return outputs.loss, outputs.logits


def tags_of_words(lib: Any, place: Place) -> Any:
    model = alike(lib.BertForTokenClassification.from_pretrained(place.base, num_labels=3))
    batch, labels = _tagged(place)
    output = model(**batch, labels=labels)
    output.loss.backward()
    found = output.logits.argmax(-1)
    words = [[found[row, at].item() for at in range(found.shape[1]) if labels[row, at] != -100] for row in range(2)]
    return labels, output.loss, words


def pre_training(lib: Any, place: Place) -> Any:
    model = lib.BertForPreTraining.from_pretrained(place.base)
    batch = place.read([one for one, _ in PAIRS], [two for _, two in PAIRS])
    labels = batch["input_ids"].masked_fill((batch["input_ids"] % 5 != 0) | (batch["attention_mask"] == 0), -100)
    output = model(**batch, labels=labels, next_sentence_label=torch.tensor([0, 1, 1]))
    output.loss.backward()
    return output.loss, output.seq_relationship_logits, model.bert.embeddings.word_embeddings.weight.grad.norm()


def the_encoder_shared_by_two_tasks(lib: Any, place: Place) -> Any:
    one, two = classifier(lib, place), alike(lib.BertForTokenClassification.from_pretrained(place.base, num_labels=3))
    two.bert = one.bert
    batch, labels = _tagged(place)
    losses = [one(**place.read(TEXTS), labels=place.labels).loss, two(**batch, labels=labels).loss]
    (losses[0] + losses[1]).backward()
    return losses, one.bert.encoder.layer[1].output.dense.weight.grad.norm()


def two_encoders_of_one_checkpoint(lib: Any, place: Place) -> Any:
    """A bi-encoder whose second tower begins as a copy of the first."""
    queries = lib.BertModel.from_pretrained(place.base)
    texts = copy.deepcopy(queries)
    scores = queries(**place.read(TEXTS[:2])).pooler_output @ texts(**place.read(TEXTS[2:])).pooler_output.T
    F.cross_entropy(scores, torch.tensor([1, 0])).backward()
    grads = [model.pooler.dense.weight.grad.norm() for model in (queries, texts)]
    return scores, grads


def fewer_layers(lib: Any, place: Place) -> Any:
    model = classifier(lib, place)
    model.bert.encoder.layer = model.bert.encoder.layer[:2]
    model.config.num_hidden_layers = 2
    batch = place.read(TEXTS)
    output = model(**batch, output_hidden_states=True)
    model.save_pretrained(place.scratch / "short")
    again = lib.BertForSequenceClassification.from_pretrained(place.scratch / "short")
    return output.logits, len(output.hidden_states), again(**batch).logits


def every_other_layer(lib: Any, place: Place) -> Any:
    """The start of DistilBERT (Sanh et al. 2019): layers of the teacher for the student."""
    teacher = classifier(lib, place)
    config = lib.BertConfig.from_pretrained(place.base, num_hidden_layers=2, num_labels=2)
    student = lib.BertForSequenceClassification(config).eval()
    student.bert.embeddings.load_state_dict(teacher.bert.embeddings.state_dict())
    for ours, theirs in enumerate((0, 2)):
        student.bert.encoder.layer[ours].load_state_dict(teacher.bert.encoder.layer[theirs].state_dict())
    student.bert.pooler = copy.deepcopy(teacher.bert.pooler)
    student.classifier.weight.data.copy_(teacher.classifier.weight.data)
    student.classifier.bias = teacher.classifier.bias
    return student(**place.read(TEXTS)).logits


def knowledge_distillation(lib: Any, place: Place) -> Any:
    teacher = classifier(lib, place, attn_implementation="eager").eval()
    student = classifier(lib, place, num_hidden_layers=1, attn_implementation="eager")
    batch, temperature = place.read(TEXTS), 2.0
    with torch.no_grad():
        taught = teacher(**batch, output_hidden_states=True, output_attentions=True)
    learnt = student(**batch, labels=place.labels, output_hidden_states=True, output_attentions=True)
    soft = F.kl_div(
        F.log_softmax(learnt.logits / temperature, -1),
        F.softmax(taught.logits / temperature, -1),
        reduction="batchmean",
    )
    mask = batch["attention_mask"].unsqueeze(-1)
    states = F.mse_loss(learnt.hidden_states[-1] * mask, taught.hidden_states[-1] * mask)
    real = mask.unsqueeze(1) * mask.unsqueeze(1).transpose(-1, -2)
    attentions = F.mse_loss(learnt.attentions[0] * real, taught.attentions[0] * real)
    (learnt.loss + temperature**2 * soft + states + attentions).backward()
    return learnt.loss, soft, states, attentions, student.bert.embeddings.LayerNorm.bias.grad.norm()


def an_early_exit(lib: Any, place: Place) -> Any:
    """A classifier on every layer; the first that is sure answers."""
    model, batch = lib.BertModel.from_pretrained(place.base), place.read(TEXTS)
    states = model(**batch, output_hidden_states=True).hidden_states[1:]
    exits = alike(nn.ModuleList(nn.Linear(32, 2) for _ in states))
    answers: list[tuple[int, int]] = []
    for row in range(len(TEXTS)):
        for depth, (layer, state) in enumerate(zip(exits, states)):
            scores = layer(state[row, 0]).softmax(-1)
            if scores.max() > 0.9 or depth == len(states) - 1:
                answers.append((depth, int(scores.argmax())))
                break
    return answers


def documents_of_several_texts(lib: Any, place: Place) -> Any:
    """A hierarchical model: texts by the encoder, the document by a GRU."""
    bert = lib.BertModel.from_pretrained(place.base)
    gru = alike(nn.GRU(32, 8, batch_first=True))
    ids, mask = (place.read(TEXTS)[name].view(2, 2, -1) for name in ("input_ids", "attention_mask"))
    vectors = bert(ids.flatten(0, 1), attention_mask=mask.flatten(0, 1)).pooler_output.view(2, 2, -1)
    return gru(vectors)[1][0]


def low_rank_adapters_by_hand(lib: Any, place: Place) -> Any:
    """LoRA (Hu et al. 2022) as people write it themselves, in the place of queries and values."""

    class LoraLinear(nn.Module):
        def __init__(self, linear: nn.Linear, rank: int) -> None:
            super().__init__()
            self.linear = linear
            self.lora_a = nn.Parameter(torch.full((rank, linear.in_features), 0.02))
            self.lora_b = nn.Parameter(torch.full((linear.out_features, rank), 0.03))

        def forward(self, values: Tensor) -> Tensor:
            return self.linear(values) + values @ self.lora_a.T @ self.lora_b.T

    model = classifier(lib, place)
    for parameter in model.parameters():
        parameter.requires_grad = False
    for layer in model.bert.encoder.layer:
        layer.attention.self.query = LoraLinear(layer.attention.self.query, 2)
        layer.attention.self.value = LoraLinear(layer.attention.self.value, 2)
    output = model(**place.read(TEXTS), labels=torch.tensor(LABELS))
    output.loss.backward()
    learnt = {name: p.grad.norm() for name, p in model.named_parameters() if p.requires_grad}
    return output.loss, output.logits, learnt


def bottleneck_adapters(lib: Any, place: Place) -> Any:
    """Houlsby et al. 2019: a small network behind each feed-forward product."""

    class Adapter(nn.Module):
        def __init__(self, dense: nn.Module) -> None:
            super().__init__()
            self.dense, self.down, self.up = dense, nn.Linear(32, 4), nn.Linear(4, 32)

        def forward(self, values: Tensor) -> Tensor:
            values = self.dense(values)
            return values + self.up(F.gelu(self.down(values)))

    model = classifier(lib, place)
    for layer in model.bert.encoder.layer:
        layer.output.dense = alike(Adapter(layer.output.dense), "dense")
    output = model(**place.read(TEXTS), labels=place.labels)
    output.loss.backward()
    return output.logits, model.bert.encoder.layer[0].output.dense.down.weight.grad.norm()


def the_parts_called_one_by_one(lib: Any, place: Place) -> Any:
    """Embeddings, layers and pooler by hand, with the mask that is added to scores."""
    model, batch = lib.BertModel.from_pretrained(place.base).eval(), place.read(TEXTS)
    mask = batch["attention_mask"]
    extended = (1.0 - mask[:, None, None, :].float()) * -10000.0
    hidden = model.embeddings(input_ids=batch["input_ids"], token_type_ids=batch["token_type_ids"])
    embedded = hidden * mask.unsqueeze(-1)
    whole = model.encoder(hidden, attention_mask=extended)[0] * mask.unsqueeze(-1)
    for layer in model.encoder.layer:
        output = layer(hidden, extended)
        hidden = output[0] if isinstance(output, tuple) else output
    return embedded, whole, hidden * mask.unsqueeze(-1), model.pooler(hidden), model(**batch).pooler_output


def mixed_in_the_middle(lib: Any, place: Place) -> Any:
    """TMix (Chen et al. 2020): hidden states of two texts are mixed between two layers."""
    model, batch = classifier(lib, place), place.read([TEXTS[0], TEXTS[3]])
    batch = {name: tensor[:, :8] for name, tensor in batch.items()}
    hidden = model.bert.embeddings(batch["input_ids"])
    hidden = model.bert.encoder.layer[0](hidden)
    mixed = 0.6 * hidden + 0.4 * hidden.flip(0)
    for layer in model.bert.encoder.layer[1:]:
        mixed = layer(mixed)
    logits = model.classifier(model.dropout(model.bert.pooler(mixed)))
    F.cross_entropy(logits, torch.tensor([0, 1])).backward()
    return logits, model.bert.embeddings.position_embeddings.weight.grad.norm()


def a_prompt_and_the_head_of_words(lib: Any, place: Place) -> Any:
    """A subclass of the masked language model that calls `self.cls` itself, and scores two words at the mask."""

    class Prompted(lib.BertForMaskedLM):
        def forward(self, input_ids: Any = None, attention_mask: Any = None, labels: Any = None) -> Any:
            states = self.bert(input_ids, attention_mask=attention_mask)[0]
            scores = self.cls(states[:, 1:2])[:, 0][:, [5, 9]]
            return F.cross_entropy(scores, labels), scores

    model = Prompted.from_pretrained(place.base)
    batch = place.read(["[MASK] the soup was warm", "[MASK] the waiter was rude !"])
    loss, scores = model(batch["input_ids"], batch["attention_mask"], torch.tensor([1, 0]))
    loss.backward()
    both = lib.BertForPreTraining.from_pretrained(place.base)
    output = both.bert(**batch)
    words, follows = both.cls(output[0], output[1])
    return loss, scores, words[:, 0], follows, model.cls.predictions.bias.grad.norm()
