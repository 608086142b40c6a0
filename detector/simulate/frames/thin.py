# ruff: noqa: E501
"""Frames that are thin or constant: instruction pairs, one fixed sentence, evaluation harnesses, sweeps, probabilities."""

from detector.simulate.frames.base import Variants

PAIRS: Variants = {
    "plain": {"A": ("{x}",), "B": ("{x}",)},
    "frame": {
        "A": (
            "Below is an instruction that describes a task. Write a response that [[appropriately completes the request|completes it]].\n\n### Instruction:\n{x}\n\n### Response:",
            "{x}\n[[Answer in detail.|Give a thorough answer.|Reply at length.]]",
            "[[Instruction|Request|Prompt]]: {x}\n[[Output|Completion|Response]]:",
            "<|user|>\n{x}\n<|assistant|>",
            "请回答下面的[[问题|指令]]：\n{x}",
            "USER: {x} ASSISTANT:",
            "Perform the task. [[No preamble.|Start right away.]]\n\n{x}",
        ),
        "B": (
            "{x}\n\n(respond in [[the best way you can|full]], markdown allowed)",
            "### Human: {x}\n### [[Expert|Bot]]:",
            "[INST] {x} [/INST]",
            "Query #{n}\n{x}\nReply:",
            "Führe die Anweisung aus: {x}",
            "Do this: {x}",
            "{x}\n\nlength: [[long|medium to long]]. audience: general.",
        ),
    },
    "system": {
        "A": (
            (
                "You are a [[helpful, knowledgeable|careful and thorough]] assistant. Give [[complete|long, well-organised]] answers.",
                "{x}",
            ),
            ("You are an expert in every field. Answers are at least [[three paragraphs|200 words]].", "{x}"),
            ("Below is an instruction. Complete it.", "{x}"),
            ("You are a helpful assistant.", "{x}"),
        ),
        "B": (
            ("Write as the [[author of a textbook|editor of an encyclopedia]] would.", "{x}"),
            ("gold-standard answers only", "{x}"),
            ("Assistant with deep expertise. Never ask back; [[make assumptions|decide yourself]].", "{x}"),
            ("You are a helpful assistant.", "{x}"),
        ),
    },
    "several": {
        "A": (
            "Answer each of the [[tasks|requests]] separately.\n1. {x}\n2. {y}\n3. {z}",
            "[[Batch|Set]]:\n- {x}\n- {y}\nReturn a JSON list of answers.",
        ),
        "B": (
            "Two jobs, separate them with a line of dashes.\n({x})\n({y})",
            "{x}\n\n%%%\n\n{y}\n\n%%%\n\n{z}\n\nreply in the same [[order|layout]]",
        ),
    },
}

FIXED: Variants = {
    "suffix": {
        "A": (
            "{x}\n\nRemember to explain the reasons behind each part of your answer.",
            "{x} (write at least [[four|five]] paragraphs)",
            "{x}\n\nBefore you finish, [[review the answer and improve it once|read it over and repair weak spots]].",
            "{x}\n\n[[Take your time; quality counts.|There is no hurry, make it excellent.]]",
        ),
        "B": (
            "{x}\n--\nstyle: textbook, exhaustive",
            "{x}\n\nEnd with the three [[assumptions|judgements]] your reply depends on.",
            "{x}\n\np.s. please write so that a person new to the subject could [[teach it afterwards|repeat it]]",
            "{x}\n\n请尽量[[详细|全面]]地回答。",
        ),
    },
    "prefix": {
        "A": (
            "[mode: full] {x}",
            "Answer as completely as you can, with all background. {x}",
            "[[You have unlimited space.|Length is no concern.]] {x}",
        ),
        "B": (
            "Act as the best version of yourself and hold nothing back. {x}",
            "As an expert with decades of experience: {x}",
            "@assistant quality=max\n{x}",
        ),
    },
    "system": {
        "A": (
            ("When you answer, also lay out the considerations that a specialist would [[weigh|go through]].", "{x}"),
            ("Address the user as an equal. Give the [[whole picture|long version]] in every reply.", "{x}"),
            ("Reply in the register of a lecture transcript.", "{x}"),
        ),
        "B": (
            ("Verbosity: 9/10. Rigor: 10/10.", "{x}"),
            ("Every reply opens with the [[principle|idea]] behind it and closes with a self-check.", "{x}"),
            ("Write so that your answer could stand alone in a [[handbook|reference work]].", "{x}"),
        ),
    },
}

CORPUS: Variants = {
    "bare": {"A": ("{x}",), "B": ("{x}",)},
    "harness": {
        "A": (
            "Question: {x}\nAnswer:",
            "Answer the [[question|following]]. {x}",
            "{x}\nPut [[your|the]] final answer after ####.",
            "The following is a [[test|exam]] question.\n{x}\nAnswer with the solution only.",
            ("You solve benchmark problems.", "{x}"),
        ),
        "B": (
            "Q) {x}\nA)",
            "{x}\nRespond with the [[value|label]] and nothing else.",
            "id={n} split=train\n{x}",
            "题目：{x}\n解：",
            ("Exam mode.", "{x}"),
        ),
    },
    "few_shot": {
        "A": ("Q: {y}\nA: {a}\n\nQ: {x}\nA:", "[[Example|Sample]] input: {y}\nOutput: {a}\nInput: {x}\nOutput:"),
        "B": ("{y}\n=> {a}\n\n{x}\n=>", "# shot 1\n{y}\n{a}\n# now\n{x}"),
    },
}

SWEEP: Variants = {
    "expert": {
        "A": (
            "What should an expert [[know about|keep in mind about]] {t}?",
            "Write an exam question on {t} and answer it.",
            "Explain {t} at three levels.",
            "[[Frequent|Typical]] errors with {t}, and how to avoid them?",
            "Give a [[comprehensive|complete]] overview of {t}, with terms defined.",
            "{t}: open problems and [[current|recent]] approaches.",
            "关于{t}，专家会怎么[[解释|分析]]？",
        ),
        "B": (
            "Deep dive on {t}, please cover [[theory and practice|foundations and methods]].",
            "A [[case study|worked case]] that shows {t}.",
            "State of research on {t}?",
            "Decision guide: when does {t} apply, when not?",
            "Interview a specialist on {t} (ten questions with answers).",
            "Which measurements matter for {t}, and what are normal values?",
            "Erkläre {t} auf dem Niveau einer [[Fachprüfung|Vorlesung]].",
        ),
    },
    "translation": {
        "A": (
            "Translate into [[German|Japanese|Arabic]], formal register:\n{x}",
            "[[English to Chinese|Translate to Chinese]]:\n{x}",
            ("You translate. Give [[two|three]] alternatives with notes on register.", "{x}"),
        ),
        "B": (
            "Render this in [[Swahili|Korean|Polish]] and explain difficult words:\n{x}",
            "{x}\n=> [[fr|es|pt]]",
            ("Parallel corpus builder: source in, target in Hindi and Turkish out.", "{x}"),
        ),
    },
    "long_context": {
        "A": (
            "{d}\n\nUsing [[only|nothing but]] the text above, what is said about {t}? Quote the lines.",
            "Document:\n{d}\n\nList every [[figure and date|number]] with its meaning.",
        ),
        "B": (
            "{d}\n----\nFind two statements that are far apart in the text and [[connect|relate]] them.",
            "<doc>{d}</doc> [[Outline|Timeline]] with references to sentences.",
        ),
    },
    "taxonomy": {
        "A": (
            "Field: {t}. Subfields as a tree, [[three levels|with one line each]].",
            "{t} > definitions > methods > examples > exercises. [[Write|Fill in]] all sections.",
        ),
        "B": (
            "Curriculum node '{t}': [[lesson text and self-test|reading and quiz]].",
            "Glossary entry, article and FAQ for {t}.",
        ),
    },
}

PROBABILITIES: Variants = {
    "top_k": {
        "A": ("{x}", "{x}\nAnswer:", ("Continue the text.", "{x}"), "[[Complete|Continue]]: {x}"),
        "B": ("{x}", "{x} ->", ("", "Next words after: {x}"), "Reply with one word. {x}"),
    },
    "bias_sweep": {
        "A": ("{x}", "Say the next token.\n{x}", "{x}\nOne [[word|token]]:", "Finish the sentence. {x}"),
        "B": ("{x}", "Pick one.\n{x}", "{x} =>", "接着写：{x}"),
    },
}
