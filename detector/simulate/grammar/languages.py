# ruff: noqa: E501
"""Phrases in other languages, with topics in those languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """Topics, first questions, follow-ups and tasks of one language."""

    topics: tuple[str, ...]
    asks: tuple[str, ...]
    follow: tuple[str, ...]
    tasks: tuple[str, ...]


def _topics(text: str) -> tuple[str, ...]:
    return tuple(text.split("; "))


LANGUAGES: dict[str, Language] = {
    "zh": Language(
        _topics(
            "酸面包; 失眠; 家庭预算; 丝绸之路; 黑洞; 条件概率; 数据库索引; 京都旅行; 面试; 日语助词; 番茄种植; 水彩画; 租房合同; 孩子写作业; 电动车电池; 城市规划; 候鸟; 游泳技巧; 网店定价; 缺失值处理; 拖延症; 桌游; 自由意志; 墙面防水; 红烧肉; 颈椎痛; 指数基金; 明朝历史; 潮汐; 矩阵"
        ),
        (
            "请问{t}应该怎么入门？",
            "{t}到底是什么",
            "帮我写一段关于{t}的介绍",
            "我最近在研究{t}，有什么建议吗",
            "{t}和{u}哪个更好？",
            "为什么{t}总是不成功啊",
            "能不能简单解释一下{t}",
            "下周要讲{t}，帮我列个提纲",
            "{t}要花多少钱",
            "我朋友说{t}没用，是真的吗",
        ),
        (
            "那{u}呢",
            "能再短一点吗",
            "谢谢！",
            "举个例子",
            "第二点没看懂",
            "改成列表",
            "你确定吗",
            "换个说法",
            "还有别的办法吗",
            "翻译成英文",
        ),
        (
            "写一篇关于{t}的短文。",
            "列出{t}的五个要点。",
            "比较{t}和{u}。",
            "为初学者解释{t}。",
            "设计一个与{t}有关的实验。",
            "给出{t}的优点和缺点。",
            "写一首关于{t}的诗。",
            "总结{t}的历史。",
        ),
    ),
    "es": Language(
        _topics(
            "el pan casero; el insomnio; un presupuesto familiar; la Ruta de la Seda; los agujeros negros; las fracciones; una base de datos; un viaje a Perú; una entrevista de trabajo; el subjuntivo; los tomates; la acuarela; un contrato de alquiler; los deberes; la bomba de calor; las bibliotecas; las aves migratorias; el ajedrez; una tienda en línea; la procrastinación; el libre albedrío; la humedad en casa"
        ),
        (
            "¿Cómo puedo mejorar con {t}?",
            "Necesito ayuda con {t}, por favor",
            "explícame {t} como si tuviera diez años",
            "¿qué es mejor, {t} o {u}?",
            "oye, y {t} cuánto cuesta",
            "mi jefe me pidió algo sobre {t}, ideas?",
            "¿Por qué es tan difícil {t}?",
            "escribe un mensaje corto sobre {t}",
        ),
        (
            "y {u}?",
            "más corto porfa",
            "gracias!",
            "dame un ejemplo",
            "no entiendo lo segundo",
            "¿seguro?",
            "ponlo en una lista",
            "¿y si no tengo dinero?",
        ),
        (
            "Describe {t}.",
            "Enumera cinco datos sobre {t}.",
            "Compara {t} con {u}.",
            "Redacta un párrafo sobre {t}.",
            "Explica las ventajas de {t}.",
            "Propón un título sobre {t}.",
        ),
    ),
    "de": Language(
        _topics(
            "Sauerteig; Schlafstörungen; die Steuererklärung; die Hanse; Gezeiten; Bruchrechnung; ein Speicherleck; eine Wanderung in Tirol; ein Bewerbungsgespräch; die Kommaregeln; Schnecken im Garten; Aquarellmalerei; der Mietvertrag; Hausaufgaben; die Wärmepumpe; die Energiewende; Zugvögel; Kraulschwimmen; ein Onlineshop; fehlende Werte; Lampenfieber; ein Rollenspielabend; Willensfreiheit; feuchte Wände"
        ),
        (
            "Wie fange ich mit dem Thema {t} an?",
            "Kannst du mir {t} erklären?",
            "hab probleme: {t}, was tun",
            "Was ist wichtiger, {t} oder {u}?",
            "brauche tipps zu {t}",
            "Schreib mir bitte eine kurze Mail zum Thema {t}",
            "warum klappt das nie: {t}",
            "was kostet {t} so ungefähr",
        ),
        (
            "und {u}?",
            "kürzer bitte",
            "danke!",
            "ein beispiel?",
            "das zweite versteh ich nicht",
            "bist du sicher",
            "als liste",
            "auf englisch bitte",
        ),
        (
            "Beschreibe {t}.",
            "Nenne fünf Fakten zu {t}.",
            "Vergleiche {t} mit {u}.",
            "Schreibe einen Absatz über {t}.",
            "Erläutere Vor- und Nachteile von {t}.",
            "Entwirf eine Unterrichtsstunde zu {t}.",
        ),
    ),
    "fr": Language(
        _topics(
            "le levain; l'insomnie; un budget; la Révolution; les marées; les fractions; une fuite mémoire; un week-end à Lyon; un entretien d'embauche; le subjonctif; les limaces; l'aquarelle; un bail; les devoirs; la pompe à chaleur; les bibliothèques; les cigognes; les échecs; une boutique en ligne; le libre arbitre"
        ),
        (
            "Comment expliquer {t} simplement ?",
            "j'ai besoin d'aide pour {t} svp",
            "{t} ou {u}, que choisir ?",
            "c'est quoi exactement {t}",
            "tu peux m'écrire un mot sur {t} ?",
            "pourquoi {t} ne marche jamais",
        ),
        ("et {u} ?", "plus court stp", "merci !", "un exemple ?", "tu es sûr ?", "sous forme de liste"),
        ("Décrivez {t}.", "Citez cinq faits sur {t}.", "Comparez {t} et {u}.", "Rédigez un paragraphe sur {t}."),
    ),
    "ja": Language(
        _topics(
            "パン作り; 睡眠; 家計簿; 明治時代; 潮の満ち引き; 分数; データベース; 北海道旅行; 面接; 英文法; トマト栽培; 水彩画; 賃貸契約; 宿題; 太陽光発電; 図書館; 渡り鳥; 将棋"
        ),
        (
            "{t}について教えてください",
            "{t}がうまくいかないんだけど",
            "{t}と{u}どっちがいい？",
            "{t}の始め方は？",
            "{t}を簡単に説明して",
        ),
        ("{u}は？", "もっと短く", "ありがとう", "例は？", "本当に？"),
        ("{t}について説明しなさい。", "{t}の特徴を五つ挙げてください。", "{t}と{u}を比較してください。"),
    ),
    "pt": Language(
        _topics(
            "o pão caseiro; a insônia; o orçamento; as marés; as frações; uma viagem ao Porto; a entrevista; as lesmas; o contrato de aluguel; o dever de casa; o xadrez; a loja virtual"
        ),
        ("Me explica {t} de forma simples?", "preciso de ajuda com {t}", "{t} ou {u}?", "por que {t} é tão difícil"),
        ("e {u}?", "mais curto", "obrigado!", "um exemplo?"),
        ("Descreva {t}.", "Compare {t} com {u}.", "Liste cinco fatos sobre {t}."),
    ),
    "ru": Language(
        _topics(
            "закваска; бессонница; семейный бюджет; приливы; дроби; собеседование; слизни; акварель; договор аренды; шахматы; перелётные птицы; свобода воли"
        ),
        ("Как разобраться с темой: {t}?", "помоги, пожалуйста: {t}", "что лучше: {t} или {u}?", "объясни просто: {t}"),
        ("а {u}?", "короче", "спасибо!", "приведи пример"),
        ("Опишите: {t}.", "Сравните: {t} и {u}.", "Перечислите пять фактов: {t}."),
    ),
}
