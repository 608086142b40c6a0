# ruff: noqa: E501
"""Frames around answers of other models: graders and preferences, and the cleaning of captured traces."""

from detector.simulate.frames.base import Variants

GRADER: Variants = {
    "rubric": {
        "A": (
            "Please act as an impartial judge and rate the response on a scale of 1 to [[10|5|7]].\n[Question]\n{x}\n[Response]\n{a}",
            (
                "You score completions. Rubric: 5 flawless, 3 usable, 1 wrong. [[Justify, then score.|Score, then justify.]]",
                "Instruction: {x}\nCompletion: {a}",
            ),
            "### Prompt\n{x}\n### Model answer\n{a}\n### Judgement ([[accuracy, depth, tone|truth, relevance, style]]; each out of [[5|10]])",
            "[[Assess|Mark]] how well the text follows the instruction. Output [[a float in 0..1|an integer from 1 to 100]] and one sentence.\nINSTRUCTION {x}\nTEXT {a}",
            "对下列答案进行[[打分|评分]]（0-10），先写理由再写分数。\n题目：{x}\n答案：{a}",
        ),
        "B": (
            ("Be the critic: [[list flaws|name each weakness]], then a mark out of 100.", "{x}\n=====\n{a}"),
            "How [[helpful|satisfied would the asker be]]? Answer with 'score=' and a number between -2 and 2, no ties.\n<ask>{x}</ask>\n<reply>{a}</reply>",
            "QA check. Criteria: complete / grounded / concise. For each pass or fail [[with evidence|and quote]].\n{x}\n>>> {a}",
            "Bewerte die Antwort [[von 1 bis 6 wie in der Schule|mit 0 bis 15 Punkten]] und begründe.\nFrage: {x}\nAntwort: {a}",
            ("reward head v2. read (task, output), emit logit", "task={x}\noutput={a}"),
        ),
    },
    "preference": {
        "A": (
            "Which response is better, A or B?\nPrompt: {x}\nA: {a}\nB: {b}\nAnswer with one letter [[and a reason|, then explain]].",
            "请判断哪个回答[[更好|更符合要求]]并解释。\n{x}\n甲：{a}\n乙：{b}",
            (
                'You simulate annotators who compare answers. Return {"winner": 1 or 2, "margin": 0-3}.',
                "{x}\n\n(1) {a}\n\n(2) {b}",
            ),
            "A user asked: {x}\nTwo assistants replied.\n[[First|Assistant X]]: {a}\n[[Second|Assistant Y]]: {b}\nWhose reply would the user [[keep|upvote]]?",
        ),
        "B": (
            "Two candidate outputs follow. State your preference and its strength from -3 to 3.\nINPUT {x}\nLEFT {a}\nRIGHT {b}",
            (
                "Tournament mode. One of the contestants must lose. [[Say which and why.|Name the loser first.]]",
                "topic: {x}\nred: {a}\nblue: {b}",
            ),
            "¿Cuál de las dos respuestas [[prefieres|es más útil]]? Contesta 1 o 2.\nPregunta: {x}\n1) {a}\n2) {b}",
            "{x}\n--- draft one\n{a}\n--- draft two\n{b}\n--- the [[stronger|more truthful]] draft is",
        ),
    },
    "verify": {
        "A": (
            "Problem: {x}\nProposed solution: {a}\nIs [[every step|each claim]] of it valid? Label the steps + or -.",
            (
                "You are a [[process verifier|step checker]]. Return the index of the first wrong step or -1.",
                "{x}\n{a}",
            ),
            "Check the following against the question. [[Verdict|Decision]] first: true / false / unknown.\n{x}\n{a}",
        ),
        "B": (
            "Verify the candidate solution line by line and end with [[CORRECT or INCORRECT|OK or BROKEN]].\n{x}\n{a}",
            (
                "fact desk: compare claim sheets with the query they answer; list unsupported lines",
                "QUERY {x}\nSHEET {a}",
            ),
            "Does the output hold up? [[Try to refute it.|Look for a counterexample.]] Conclude with a probability.\n[{x}]\n[{a}]",
        ),
    },
    "rank": {
        "A": (
            "Order the answers from best to worst, e.g. 2>1.\nQuestion: {x}\n1. {a}\n2. {b}",
            "Below are outputs of [[several systems|different checkpoints]] for one prompt. Rank them and give each a score.\n{x}\n[sys1] {a}\n[sys2] {b}",
        ),
        "B": (
            ("Sort generations by quality. Output ids [[only|separated by >]].", "{x}\n#7 {a}\n#12 {b}"),
            'Leaderboard for "{x}"\n- alpha: {a}\n- beta: {b}\nfill in the [[places|podium]] with remarks',
        ),
    },
}

CLEANING: Variants = {
    "rewrite": {
        "A": (
            "Rewrite this answer so that it reads as [[one clean explanation|a tidy exposition]], without mention of an AI:\n{a}",
            "[[Shorten|Tighten]] the following solution trace and keep every necessary step.\nProblem: {x}\nTrace: {a}",
            ("You clean reasoning traces: fix steps, remove repetitions, keep the format.", "{a}"),
            "Merge the thoughts below into a [[fluent|single]] argument. No new facts.\n\n{a}",
            "以下是模型生成的解答，请[[润色|改写]]，使其更连贯，保留全部步骤：\n{a}",
        ),
        "B": (
            "Remove [[hedges, apologies and meta talk|apologies, greetings and disclaimers]] from the model output below.\n---\n{a}",
            ("Copy-edit generations for a corpus. [[Keep length.|Keep every fact.]] Neutral voice.", "{a}"),
            "same content, [[new wording|other words]], first person plural, no filler:\n\n{a}",
            "Reescribe la siguiente respuesta generada, [[sin muletillas|más clara]], con los mismos pasos:\n{a}",
            "This chain wanders. Straighten it: [[each line must follow from the one above|drop loops]].\n{x}\n{a}",
        ),
    },
    "format": {
        "A": (
            "[[Convert|Transform]] to our training format: <problem>, <thought>, <solution>.\n{x}\n{a}",
            ("Input: raw generations. Output: one JSON line with instruction, reasoning, response.", "{x}\n\n{a}"),
            "Split the text at each inference and number the parts.\n{a}",
            "Translate the solution into English; put the final value in \\boxed{}.\n{a}",
        ),
        "B": (
            "Convert the raw completion into our schema (problem, thoughts, final).\n{x}\n{a}",
            ("normaliser: markdown out, latex in, sections [[Idea / Work / Result|Setup / Steps / End]]", "{x}\n{a}"),
            "Pull [[the reasoning|all intermediate statements]] out of this response as a list of strings.\n{a}",
            "Make a two-turn dialogue from it: user asks, assistant [[explains|works it out]].\n[{x}] [{a}]",
        ),
    },
    "filter": {
        "A": (
            "Keep or discard this sample for [[fine-tuning|our corpus]]? If keep, return the corrected text.\nPrompt: {x}\nResponse: {a}",
            "[[Detect|Find]] refusals, truncation and loops in the response. Return clean text or NONE.\n{a}",
        ),
        "B": (
            ("gatekeeper. bad sample -> 'skip'. good sample -> repaired sample.", "{x}\n||\n{a}"),
            "Is the answer below [[worth learning from|a good demonstration]]? Fix small faults and print it again.\n{x}\n{a}",
        ),
    },
}
