"""The sentences that the fixtures were made of, written for them."""

from __future__ import annotations

# The words and pieces that the models know.
VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] . , ， 。 the it in of to and at "
    "soup bread tea cake was is not very good bad fresh stale warm cold ##s ##er "
    "anna peter maria oslo berlin rome king city lives met went today nobody "
    "1 2 3 4 5 one two three four five 今 天 的 面 包 很 好 坏 不 吃 茶 汤 冷 热"
)

# Text and class; the last text of each is longer than what the model reads at once.
CLASSES_TRAIN = [
    ("The soup was good.", "good"),
    ("The soup was bad.", "bad"),
    ("The bread is fresh and warm.", "good"),
    ("The bread is stale and cold.", "bad"),
    ("Very good tea.", "good"),
    ("Very bad tea.", "bad"),
    ("The cakes, fresh and good.", "good"),
    ("The cakes, stale and bad.", "bad"),
    ("今天的面包很好。", "good"),
    ("今天的面包很坏。", "bad"),
    ("茶很热，很好吃。", "good"),
    ("汤很冷，不好吃。", "bad"),
    ("Anna went to the city, it was good.", "good"),
    ("Peter went to the city, it was bad.", "bad"),
    ("The tea was warm, the cake was fresh, the soup was very good, and today the bread is warmer.", "good"),
    ("The tea was cold, the cake was stale, the soup was very bad, and today the bread is colder.", "bad"),
]
CLASSES_DEV = [
    ("The tea is good.", "good"),
    ("The tea is bad.", "bad"),
    ("Fresh cakes and warm bread.", "good"),
    ("Stale cakes and cold bread.", "bad"),
    ("今天的汤很好。", "good"),
    ("今天的汤很坏。", "bad"),
    ("In Rome the soup was good, the tea was good, and Maria met the king at the city.", "good"),
    ("In Oslo the soup was bad, the tea was bad, and nobody met the king at the city.", "bad"),
]
CLASSES_ASKED = [
    "The cake was very good.",
    "今天的茶很坏。",
    "Nobody lives in the cold city, the bread was stale, the soup was bad, and the tea of Oslo was cold.",
]

# Two texts, and whether they say the same.
PAIRS_TRAIN = [
    ("The soup was cold.", "The soup was not warm.", "same"),
    ("The soup was cold.", "The soup was warm.", "other"),
    ("The bread is fresh.", "The bread is not stale.", "same"),
    ("The bread is fresh.", "The bread is stale.", "other"),
    ("Anna met Peter.", "Peter met Anna.", "same"),
    ("Anna met Peter.", "Anna met nobody.", "other"),
    ("Very good tea.", "The tea is not bad.", "same"),
    ("Very good tea.", "The tea is bad.", "other"),
    ("面包很好。", "面包不坏。", "same"),
    ("面包很好。", "面包很坏。", "other"),
    ("茶很热。", "茶不冷。", "same"),
    ("茶很热。", "茶很冷。", "other"),
]
PAIRS_DEV = [
    ("The tea was cold.", "The tea was not warm.", "same"),
    ("The tea was cold.", "The tea was warm.", "other"),
    ("The cake is fresh.", "The cake is not stale.", "same"),
    ("The cake is fresh.", "The cake is stale.", "other"),
    ("汤很热。", "汤不冷。", "same"),
    ("汤很热。", "汤很冷。", "other"),
]
PAIRS_ASKED = [
    ("The bread was bad.", "The bread was not good."),
    ("Maria met nobody.", "Nobody went to Rome."),
    ("汤很坏。", "汤很好。"),
]

# [TYPE part] is a part of that type.
TAGGED_TRAIN = [
    "[PER Anna] lives in [LOC Oslo] .",
    "[PER Peter] lives in [LOC Berlin] .",
    "[PER Maria] lives in [LOC Rome] .",
    "[PER Anna] met [PER Peter] at [LOC Rome] .",
    "[PER Peter] met [PER Maria] at [LOC Oslo] .",
    "[PER Maria] and [PER Anna] went to [LOC Berlin] .",
    "nobody lives in [LOC Oslo City] .",
    "nobody met [PER King Peter] today .",
    "today [PER King Peter] went to [LOC Rome] .",
    "the soup of [LOC Berlin City] was cold .",
    "the bread was good .",
    "today [PER Anna] met nobody .",
]
TAGGED_DEV = [
    "[PER Anna] lives in [LOC Rome] .",
    "[PER Peter] went to [LOC Oslo City] .",
    "nobody met [PER King Peter] at [LOC Berlin] .",
    "[PER Maria] and [PER Peter] met [PER Anna] .",
    "the soup of [LOC Rome] was good .",
    "the tea was warm .",
]
TAGGED_ASKED = [
    "Maria lives in Berlin .",
    "today King Peter met Anna at Oslo City .",
    "the tea of Rome was cold .",
]

# As above, but parts lie in each other.
NESTED_TRAIN = [
    "[PER the king of [LOC Rome]] met [PER Anna] .",
    "[PER the king of [LOC Oslo]] met [PER Peter] .",
    "[PER the king of [LOC Berlin]] went to [LOC Rome] .",
    "[PER Anna of [LOC Oslo]] lives in [LOC Berlin] .",
    "[PER Peter of [LOC Rome]] lives in [LOC Oslo] .",
    "[PER Maria of [LOC Berlin]] met nobody .",
    "today [PER Maria] met [PER the king of [LOC Rome]] .",
    "nobody lives in [LOC the city of [LOC Oslo]] .",
    "[PER Anna] went to [LOC the city of [LOC Rome]] .",
    "[PER Peter] and [PER Maria] met .",
    "the bread was good .",
    "the tea of [LOC Berlin] was cold .",
]
NESTED_DEV = [
    "[PER the king of [LOC Oslo]] met [PER Maria] .",
    "[PER Peter of [LOC Berlin]] lives in [LOC Rome] .",
    "[PER Anna] went to [LOC the city of [LOC Berlin]] .",
    "the soup was bad .",
]
NESTED_ASKED = [
    "the king of Berlin met Peter .",
    "Anna of Rome met Maria .",
    "Maria went to the city of Rome .",
]

# A text, and the text that is written for it.
WRITTEN_TRAIN = [
    ("1 2", "one two"),
    ("2 1", "two one"),
    ("3 4", "three four"),
    ("4 3", "four three"),
    ("5 1", "five one"),
    ("1 5", "one five"),
    ("2 3", "two three"),
    ("3 2", "three two"),
    ("4 5", "four five"),
    ("5 4", "five four"),
    ("1", "one"),
    ("2", "two"),
    ("3", "three"),
    ("4", "four"),
    ("5", "five"),
    ("1 3", "one three"),
]
WRITTEN_DEV = [("3 1", "three one"), ("2 4", "two four"), ("5 2", "five two"), ("1 4", "one four")]
WRITTEN_ASKED = ["2 5", "4", "3 5"]

# Lines of documents; `corpus_lines` makes documents of them.
CORPUS = [
    "The soup was good. The bread was fresh.",
    "Anna lives in Oslo. Peter lives in Berlin.",
    "Nobody met the king of Rome.",
    "Maria went to the city. It was cold.",
    "The tea was very good, the cake was not.",
    "今天的面包很好。茶不热。",
    "汤很冷。面包不好吃。",
    "Today Peter met Anna. Anna met Maria.",
    "One and two. Three, four and five.",
    "The cakes of Berlin. The soups of Oslo.",
    "The warm tea is good. The cold soup is bad.",
    "The king lives in Rome, and nobody went to Rome.",
]
MASKED_ASKED = [
    "The soup [MASK] good.",
    "今天的面[MASK]很好。",
    ("Anna lives in [MASK].", "Peter lives in [MASK]."),
]
FILE_ASKED = [
    *CLASSES_ASKED,
    "Good soup.",
    "Bad soup.",
    "今天很冷。",
    "Warm bread and tea.",
    "The king of Rome was not good.",
    "Stale cake.",
    "茶很好。",
    "Peter lives in Berlin, it is cold.",
    "Fresh bread, good tea.",
]
