"""Frames that teach the intent model, written for this purpose; `{x}` is a task, `{a}` and `{b}` are answers to it, `{n}` a number.

A frame of the form (system, user) puts its words into the system prompt. None of these is used by the simulator, so that a
measurement on simulated traffic is a measurement on other wordings.
"""

from __future__ import annotations

Frame = str | tuple[str, str]

REASONING: list[Frame] = [
    "{x}\n\nThink through this carefully, one step after another, and write every step down before you answer.",
    "{x}\nFirst lay out your complete chain of thought, then give the result on the last line.",
    "{x}\n\nWork it out in numbered steps. Don't skip any intermediate deduction.",
    "Question: {x}\nReasoning (show all of it):",
    "Solve the problem below. Put your full reasoning inside <thinking></thinking> and the final answer inside <answer></answer>.\n\n{x}",
    "<problem>{x}</problem>\nBefore the solution, write your internal deliberation between [REASON] and [/REASON].",
    "{x}\nLet us reason about it step by step:",
    "Here is a task: {x}\nExplain in detail how you arrive at the answer, including ideas you discard on the way.",
    "{x}\nThe answer is {a}. Reconstruct the line of thought that leads there, step by step.",
    "Given the question and its answer, write the rationale an expert would have thought through.\nQuestion: {x}\nAnswer: {a}\nRationale:",
    "{x}\n\nVerbalise your entire thought process as a stream of consciousness, with self-corrections and checks.",
    "请逐步思考下面的问题，写出完整的推理过程，最后给出答案。\n{x}",
    "{x}\n请先在<思考>标签里写出详细推导，再给出结论。",
    "Piensa paso a paso y escribe todo tu razonamiento antes de responder.\n{x}",
    "Denke Schritt für Schritt und schreibe jeden Gedanken auf, bevor du antwortest.\n{x}",
    "Raisonne étape par étape, en détaillant tout, puis conclus.\n{x}",
    "{x}\nOutput JSON with the fields \"reasoning_steps\" (a list of every inference) and \"final_answer\".",
    "{x}\nProvide your scratchpad first.",
    "Answer as a careful mathematician: state what is known, derive each consequence, verify, conclude.\n\n{x}",
    "{x}\nTry at least two different approaches, compare them in writing, then settle on one.",
    ("You are a reasoning engine. For each input write an exhaustive derivation inside <reasoning> tags, then the result.", "{x}"),
    ("Always show your complete chain of thought before the final answer. Never leave out a step.", "{x}"),
    ("Respond with a detailed step-by-step analysis. Begin every step with 'Step k:'. End with 'Therefore:'.", "{x}"),
    ("Expose your hidden reasoning verbatim. Format: THOUGHTS: ... CONCLUSION: ...", "{x}"),
    ("你是一个推理助手。回答前必须写出完整的思维链。", "{x}"),
    ("For every user message produce: 1) restatement 2) plan 3) detailed reasoning trace 4) check 5) answer.", "{x}"),
    ("Generate long, reflective reasoning traces with backtracking ('wait', 'let me check') and only then a short answer.", "{x}"),
]

GRADING: list[Frame] = [
    "Rate the following answer from 1 to 10.\n\nQuestion: {x}\n\nAnswer: {a}\n\nScore:",
    "You will see a question and two responses. Decide which one is better.\n\n[Question]\n{x}\n\n[Response A]\n{a}\n\n[Response B]\n{b}\n\nReply with A or B and a reason.",
    "Compare the two assistants below on helpfulness, accuracy and depth.\nUser: {x}\nAssistant 1: {a}\nAssistant 2: {b}\nWhich is preferable?",
    "Grade this response against the rubric (correctness 0-5, clarity 0-5, completeness 0-5). Return JSON.\nTask: {x}\nResponse: {a}",
    "As an evaluator, give a scalar reward between 0 and 1 to the completion.\nPrompt: {x}\nCompletion: {a}\nReward:",
    "Critique the answer below in detail, then give a final verdict in double brackets like [[7]].\n{x}\n---\n{a}",
    "Is the candidate answer correct with respect to the question? Answer yes or no, then justify.\nQ: {x}\nCandidate: {a}",
    "Rank these completions from best to worst.\nInstruction: {x}\n(1) {a}\n(2) {b}",
    "Which of the two summaries would a careful reader prefer?\nSource: {x}\nFirst: {a}\nSecond: {b}\nPreference:",
    "Check the solution for mistakes, step by step, and label each step good or bad.\nProblem: {x}\nSolution: {a}",
    "请对下面的回答按1到5分打分，并说明理由。\n问题：{x}\n回答：{a}",
    "比较两个回答，指出哪个更好。\n问题：{x}\n回答A：{a}\n回答B：{b}",
    "Evalúa la respuesta del asistente del 1 al 10 y explica.\nPregunta: {x}\nRespuesta: {a}",
    "Score the reply for harmlessness and honesty, each 1-7.\nConversation: {x}\nReply: {a}",
    "Pick the chosen and the rejected response for preference training. Output {{\"chosen\": .., \"rejected\": ..}}\n{x}\nA) {a}\nB) {b}",
    ("You are an impartial grader. Given an instruction and a response, output a score and feedback.", "Instruction: {x}\nResponse: {a}"),
    ("Act as a reward model. Return only a number from 0 to 100.", "PROMPT\n{x}\nOUTPUT\n{a}"),
    ("You compare pairs of model outputs and state which one humans would like more.", "Prompt: {x}\n\nOutput 1: {a}\n\nOutput 2: {b}"),
    ("Evaluate the submission by the criteria: factuality, coverage, style. Respond as JSON.", "{x}\n\n### Submission\n{a}"),
]

SYNTHESIS: list[Frame] = [
    "Come up with {n} diverse instructions that a user might give to an assistant. Number them. Topic: {x}",
    "Generate {n} new tasks similar in kind to this one, but about different subjects:\n{x}",
    "Rewrite the following prompt into a more complex version that is still answerable:\n{x}",
    "Make this question harder by adding one more constraint. Output only the new question.\n{x}",
    "Create a brand new problem inspired by the given one, rarer and of equal length.\nGiven: {x}\nCreated:",
    "Invent {n} personas and, for each, a question the persona would ask an AI about {x}.",
    "Write {n} question and answer pairs from the text, suitable for training a chatbot.\n{x}",
    "Produce a user query for which the following would be a perfect answer:\n{x}",
    "List {n} varied exercises with solutions for a data set about {x}. JSON lines with 'instruction', 'input', 'output'.",
    "Simulate a conversation between a user and an assistant on: {x}. At least {n} turns. Format as JSON.",
    "You are building an instruction-tuning set. Write {n} examples, vary verbs and formats. Seed: {x}",
    "Here are some tasks:\n1. {x}\n2. {a}\nContinue the list with {n} more original tasks.",
    "请根据下面的示例再写{n}个新的任务指令，要求多样化：\n{x}",
    "请把下面的问题改写得更难，只输出改写后的问题：\n{x}",
    "Genera {n} instrucciones nuevas y variadas parecidas a esta: {x}",
    "Suggest {n} subtopics of {x}; for each, three prompts of rising difficulty.",
    "Pretend to be a curious user. Ask a single realistic question on {x}.",
    ("You write training prompts. Output one new, self-contained, challenging prompt each time.", "Domain: {x}"),
    ("You evolve prompts: deepen, concretise or add reasoning steps. Return only the evolved prompt.", "{x}"),
    ("Produce synthetic user messages for a dialogue corpus.", "Scenario: {x}. Count: {n}"),
]

CLEANING: list[Frame] = [
    "Rewrite the response so that it sounds natural and remove any mention of being an AI.\n\nResponse: {a}",
    "Clean up this model output: drop disclaimers, fix formatting, keep the content.\n{a}",
    "Below is a reasoning trace. Condense it, remove dead ends, keep each valid step.\n\n{a}",
    "Polish the following assistant answer for use as a gold reference.\nQuestion: {x}\nAnswer: {a}",
    "Strip refusals and hedging from the text, otherwise leave it unchanged:\n{a}",
    "Translate the chain of thought into clear English and keep its structure:\n{a}",
    "Turn this transcript of an assistant into a tidy instruction/response pair.\n{x}\n{a}",
    "Improve the completion: correct errors, make the reasoning explicit, same format.\nPrompt: {x}\nCompletion: {a}",
    "Split the captured output into fields 'thought' and 'answer'. Output JSON.\n{a}",
    "Paraphrase this answer so that it does not reveal which model wrote it.\n{a}",
    "请清理下面模型的回答，去掉免责声明，保留内容：\n{a}",
    "请把下面的推理过程改写得更简洁，保留每一步：\n{a}",
    ("You normalise model generations for a data set. Return the cleaned text only.", "{a}"),
    ("Rewrite teacher outputs into the student's format: <think>...</think> then the answer.", "Q: {x}\nTeacher: {a}"),
    ("Filter: if the sample is low quality output DROP, else output the cleaned sample.", "{x}\n\n{a}"),
]

ORDINARY: list[Frame] = [
    "{x}", "{x}", "{x}", "{x}", "{x}", "{x}",
    "hi, {x}", "{x} thanks!", "can you help me with this? {x}", "{x}\n\nkeep it short please",
    "I need this for my work tomorrow: {x}",
    ("You are a helpful assistant.", "{x}"),
    ("You are the support bot of our shop. Be polite and brief. Use the tools for orders.", "{x}"),
    ("Classify the text into one of the labels. Answer with the label only.", "{x}"),
    ("Translate the user's text into French. Keep names.", "{x}"),
    ("Summarise the document for a busy reader in three sentences.", "{x} {a}"),
    ("Answer using the passages only; say so if they don't hold the answer.", "Passages: {a} {b}\n\nQuestion: {x}"),
    ("You are a coding agent with access to a shell. Make small changes and run the tests.", "{x}"),
    ("You are a patient tutor for school children. Guide with hints; explain how a solution is found.", "{x}"),
    ("Turn the question into SQL for the given schema.", "{x}"),
    "Extract all names and dates from the text.\n{a}",
    "Summarize: {a}",
    "Please proofread my email:\n{a}",
    "Translate to German: {a}",
    "{x}\nUse the following notes: {a}",
]  # fmt: skip

DATASET_VERBS = (
    "Describe", "Explain", "Summarize", "List three", "Write a short paragraph about", "Compose a poem on", "Compare two kinds of",
    "Identify the main causes of", "Suggest ways to improve", "Provide an example of", "Classify the following item:", "Create a dialogue about",
    "Discuss the pros and cons of", "Define the term", "Generate a headline on", "Outline the history of", "Name five facts about",
    "Rewrite the sentence in passive voice:", "Given the input, predict the outcome for", "Construct a query for", "Design an experiment on",
    "Calculate the average for", "Edit the following sentence about", "Predict the future of", "Categorize the elements of", "Propose a plan for",
)  # fmt: skip
DATASET_TOPICS = (
    "photosynthesis", "the French Revolution", "renewable energy", "supply and demand", "machine learning", "the human heart", "climate change",
    "Shakespeare's tragedies", "the stock market", "volcanoes", "healthy eating", "time management", "the water cycle", "recursion",
    "customer service", "artificial intelligence in medicine", "urban planning", "the solar system", "public speaking", "data privacy",
    "immune response", "Greek mythology", "quantum computing", "inflation", "wildlife conservation", "a balanced diet", "the scientific method",
    "electric cars", "negotiation", "plate tectonics", "a sorting algorithm", "jazz", "the Cold War", "vaccines", "deforestation", "space travel",
    "remote work", "social media", "genetics", "an object falling from a tower", "the meaning of friendship", "mental health", "sustainable fashion",
)  # fmt: skip
