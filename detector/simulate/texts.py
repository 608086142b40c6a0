"""What is written in simulated traffic, by the part it plays. Where the texts come from is of no concern to the simulator."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

Dialogue = list[str]  # the user's turns


@dataclass(frozen=True)
class Prompt:
    """A finished request of a known pipeline: its words are used as they are."""

    user: str
    system: str | None = None


@dataclass
class Texts:
    """Pools that tenants and campaigns draw from. The last three may be empty; all others must hold something."""

    chats: list[Dialogue] = field(default_factory=list)  # what ordinary people ask, turn by turn
    instructions: list[str] = field(default_factory=list)  # self-contained tasks of an instruction corpus
    questions: list[str] = field(default_factory=list)  # problems with a checkable answer
    code: list[str] = field(default_factory=list)  # programming tasks
    agent_tasks: list[str] = field(default_factory=list)  # tasks that need tools
    documents: list[str] = field(default_factory=list)  # long material
    support: list[Dialogue] = field(default_factory=list)  # customers' turns in service dialogues
    answers: list[str] = field(default_factory=list)  # what the provider's model answers
    pairs: list[tuple[str, str]] = field(
        default_factory=list
    )  # an instruction with an answer that some model gave: material
    snippets: list[str] = field(default_factory=list)  # short texts to be classified
    sql: list[str] = field(default_factory=list)  # questions to a database
    choices: list[str] = field(default_factory=list)  # multiple-choice questions of an evaluation set
    topics: list[str] = field(default_factory=list)
    templated: list[list[Prompt]] = field(
        default_factory=list
    )  # finished requests of honest pipelines, a list for each
    judging: list[Prompt] = field(default_factory=list)  # finished requests of honest judges
    harvests: dict[str, list[Prompt]] = field(default_factory=dict)  # finished requests of harvesters, by family

    def pools(self) -> list[list[str]]:
        """Every pool of single texts that someone may ask a model, what people ask first among them."""
        opening = [turns[0] for turns in self.chats]
        return [
            opening,
            self.instructions,
            self.questions,
            self.code,
            self.snippets,
            self.sql,
            self.agent_tasks,
            self.choices,
        ]

    def check(self) -> None:
        """Raise ValueError naming the pools that are empty and must not be."""
        optional = {"templated", "judging", "harvests"}
        empty = [f.name for f in fields(self) if f.name not in optional and not getattr(self, f.name)]
        if empty:
            raise ValueError(f"no texts for {', '.join(empty)}: include a corpus that has them, or add built-in ones")
