"""What the encoders are worth: speed, and how far translations are recognised. ``python -m benchmarks.encoders [--texts FILE]``.

FILE holds one JSON object a line with a ``text``; without it, the texts are made up from a word list (speed only tells
ratios then). Languages are measured on the parallel sentences below, written for this purpose.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from detector.encoders import Encoder, clip, load_encoder
from detector.encoders.static import FOLDER

PARALLEL = {
    "English": [
        "How do I cook rice so that it does not stick?",
        "Explain step by step why the sky is blue.",
        "Translate this letter to my landlord.",
        "Write a short poem about the winter sea.",
        "What is the capital of Australia?",
        "My computer does not start after the update.",
        "Solve the equation and show your reasoning.",
        "Which vaccines does a small child need?",
        "Summarise the following newspaper article.",
        "How much tax do I pay when I sell my house?",
    ],
    "German": [
        "Wie koche ich Reis, damit er nicht klebt?",
        "Erkläre Schritt für Schritt, warum der Himmel blau ist.",
        "Übersetze diesen Brief an meinen Vermieter.",
        "Schreibe ein kurzes Gedicht über das Meer im Winter.",
        "Was ist die Hauptstadt von Australien?",
        "Mein Computer startet nach dem Update nicht mehr.",
        "Löse die Gleichung und zeige deinen Gedankengang.",
        "Welche Impfungen braucht ein kleines Kind?",
        "Fasse den folgenden Zeitungsartikel zusammen.",
        "Wie viel Steuern zahle ich, wenn ich mein Haus verkaufe?",
    ],
    "Spanish": [
        "¿Cómo cocino el arroz para que no se pegue?",
        "Explica paso a paso por qué el cielo es azul.",
        "Traduce esta carta para mi casero.",
        "Escribe un poema corto sobre el mar en invierno.",
        "¿Cuál es la capital de Australia?",
        "Mi ordenador no arranca después de la actualización.",
        "Resuelve la ecuación y muestra tu razonamiento.",
        "¿Qué vacunas necesita un niño pequeño?",
        "Resume el siguiente artículo de periódico.",
        "¿Cuántos impuestos pago al vender mi casa?",
    ],
    "French": [
        "Comment cuire du riz pour qu'il ne colle pas ?",
        "Explique étape par étape pourquoi le ciel est bleu.",
        "Traduis cette lettre à mon propriétaire.",
        "Écris un court poème sur la mer en hiver.",
        "Quelle est la capitale de l'Australie ?",
        "Mon ordinateur ne démarre plus après la mise à jour.",
        "Résous l'équation et montre ton raisonnement.",
        "De quels vaccins un petit enfant a-t-il besoin ?",
        "Résume l'article de journal suivant.",
        "Combien d'impôts dois-je payer quand je vends ma maison ?",
    ],
    "Russian": [
        "Как сварить рис, чтобы он не слипался?",
        "Объясни шаг за шагом, почему небо голубое.",
        "Переведи это письмо моему арендодателю.",
        "Напиши короткое стихотворение о зимнем море.",
        "Какой город является столицей Австралии?",
        "Мой компьютер не запускается после обновления.",
        "Реши уравнение и покажи ход рассуждений.",
        "Какие прививки нужны маленькому ребёнку?",
        "Кратко изложи следующую газетную статью.",
        "Сколько налога я заплачу при продаже дома?",
    ],
    "Chinese": [
        "怎样煮米饭才不会粘锅？",
        "请一步一步解释天空为什么是蓝色的。",
        "请翻译这封写给房东的信。",
        "写一首关于冬天的大海的短诗。",
        "澳大利亚的首都是哪里？",
        "更新之后我的电脑无法启动。",
        "解这个方程并写出推理过程。",
        "小孩子需要接种哪些疫苗？",
        "请总结下面这篇报纸文章。",
        "卖房子的时候我要交多少税？",
    ],
}


def languages(encoder: Encoder) -> None:
    """Per language: how often a translation is nearest to its English sentence, and mean cosines.

    *within* is the mean cosine of unrelated sentences of the language: near 1, its texts cannot be told apart.
    """
    english = encoder.encode(PARALLEL["English"])
    print(f"{encoder.name}\nlanguage   found of 10   translation   unrelated   within the language")
    for language, sentences in PARALLEL.items():
        vectors = encoder.encode(sentences)
        across, own = english @ vectors.T, vectors @ vectors.T
        other = ~np.eye(len(across), dtype=bool)
        found = int((across.argmax(axis=0) == np.arange(len(across))).sum())
        print(
            f"{language:<10} {found:>11} {np.diag(across).mean():>13.2f} {across[other].mean():>11.2f} {own[other].mean():>21.2f}"
        )


def speed(name: str, encode: Callable[[list[str]], object], texts: list[str]) -> None:
    """Texts per second of one pass."""
    start = time.perf_counter()
    encode(texts)
    print(f"{name:<44} {len(texts) / (time.perf_counter() - start):>9,.0f} texts/s")


def made_up(count: int) -> list[str]:
    """Texts of 20 to 120 words, drawn with Zipf's weights from the tokenizer's vocabulary."""
    words = [w for w in json.loads((FOLDER / "tokenizer.json").read_text())["model"]["vocab"] if w.isalpha()]
    chance = random.Random(1)
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    return [" ".join(chance.choices(words, weights, k=chance.randint(20, 120))) for _ in range(count)]


def main() -> None:
    """Print both measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, nargs="*", default=[], help=".jsonl or .jsonl.gz with a text field")
    found: dict[str, None] = {}
    for path in parser.parse_args().texts:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            found.update((text, None) for line in file if (text := json.loads(line).get("text")))
    texts = list(found) or made_up(10_000)
    print(f"{len(texts):,} distinct texts of {np.mean([len(t) for t in texts]):.0f} characters")

    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    static, transformer = load_encoder("static"), load_encoder("transformer")
    plain = SentenceTransformer(
        modules=[StaticEmbedding.load(str(FOLDER), local_files_only=True)], device="cpu"
    ).float()
    clipped = [clip(t) for t in texts]
    speed(
        "SentenceTransformer.encode, static",
        lambda t: plain.encode(t, batch_size=1024, show_progress_bar=False),
        clipped,
    )
    speed("static, words not yet seen", static.encode, texts)
    speed("static, words seen", static.encode, texts)
    speed("transformer", transformer.encode, texts[:200])
    languages(static)
    languages(transformer)


if __name__ == "__main__":
    main()
