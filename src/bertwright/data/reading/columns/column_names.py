"""The names that people give to columns, in English and in Chinese."""

from __future__ import annotations

import re

# Pairs come before single texts: a file with `sentence1` and `sentence2` is about both.
PAIRS = (
    ("sentence1", "sentence2"), ("sentence_1", "sentence_2"), ("sentence_a", "sentence_b"),
    ("#1_string", "#2_string"), ("question1", "question2"), ("premise", "hypothesis"), ("text_a", "text_b"),
    ("text1", "text2"), ("text_1", "text_2"), ("text", "text_b"), ("text", "text_pair"), ("sent1", "sent2"),
    ("s1", "s2"), ("q1", "q2"), ("query1", "query2"), ("query", "title"), ("query", "document"), ("query", "passage"),
    ("question", "sentence"), ("question", "answer"), ("文本1", "文本2"), ("文本a", "文本b"),
    ("句子1", "句子2"), ("问题1", "问题2"), ("前提", "假设"),
)  # fmt: skip
TEXTS = (
    *("text", "sentence", "review", "content", "text_a", "comment", "body", "message", "tweet", "utterance"),
    *("document", "article", "abstract", "question", "query", "headline", "title", "description", "news", "string"),
    *("文本", "内容", "句子", "评论", "正文", "评价", "原文", "文章", "问题", "标题", "留言", "微博", "新闻"),
)
# Numbers of a class come before the words that describe them, and grades, which may be fractions, come last.
LABELS = (
    *("label", "labels", "gold_label", "class", "category", "target", "quality", "标签", "类别", "分类", "类目"),
    *("sentiment", "polarity", "intent", "topic", "emotion", "is_duplicate", "entailment_judgment", "y"),
    *("情感", "情感倾向", "意图", "主题", "标注", "label_desc", "label_text", "label_name"),
    *("rating", "stars", "score", "similarity", "评分", "分数", "得分"),
)
OTHERS = frozenset(
    (
        *("id", "idx", "index", "guid", "uid", "number", "split", "fold", "lang", "language"),
        *("source", "genre", "domain", "date", "year", "month", "time", "url", "link", "author"),
        *("user", "username", "user_id", "file", "filename", "page_id", "pair_id", "pairid", "prem_id", "qid"),
        *("qid1", "qid2", "#1_id", "#2_id", "old_index", "level", "keywords", "keyword", "name", "编号"),
        *("序号", "日期", "时间", "来源", "作者", "用户", "关键词", "链接", "城市"),
    )
)

# Of texts and of what is to be written for them; the clearest names first.
SOURCES = (
    *("source", "src", "input", "text", "article", "document", "passage", "prompt", "query", "question"),
    *("sentence", "content", "源文本", "输入", "原文", "正文", "文章", "内容", "问题", "文本"),
)
TARGETS = (
    *("target", "tgt", "output", "summary", "highlights", "translation", "response", "reply", "answer", "completion"),
    *("headline", "title", "label", "目标", "目标文本", "输出", "译文", "摘要", "回答", "回复", "答案", "标题"),
)


def plain(name: str) -> str:
    """`#1 String` and `#1_string`, `Gold-Label` and `gold_label` are the same name."""
    return re.sub(r"[\s_\-]+", "_", name.strip().lower())


KNOWN = frozenset(name for pair in PAIRS for name in pair) | frozenset(TEXTS) | frozenset(LABELS)
