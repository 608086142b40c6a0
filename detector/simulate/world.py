"""The simulated provider: texts, customers, moments, and the log of what is sent."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from detector.event import Account, Client, Event, Message, Params, Usage
from detector.simulate.arrivals import Arrivals
from detector.simulate.identities import START, Identities, Owner
from detector.simulate.texts import Dialogue, Texts

ANSWERS = 0.75  # share of answers that are kept, where they are logged at all
FLICKER = 0.03  # share of events whose client details are lost whatever the gateway
CANDIDATES = 1000  # texts of a pool among which those of one owner are looked for
COMMON = 0.1  # share of the texts from which a word says nothing of what they are about
_WORD = re.compile(r"[^\W\d_]{3,}|[\u3040-\u30ff\u3400-\u9fff]")
_STEP = timedelta(seconds=1)


@dataclass(slots=True)
class Request:
    """What is asked, before anyone asks it."""

    turns: Sequence[str]  # the user's
    system: str | None = None
    tools: Sequence[str] | None = None
    tool_steps: int = 0  # tool results after the last user turn
    output: float = 300.0  # median answer length in tokens
    params: Params | None = None
    answers: Sequence[str] = ()  # the assistant's turns between the user's
    response: str | None = None
    end_user: str | None = None
    session: str | None = None
    model: str | None = None


class World:
    """Random state and the growing log."""

    def __init__(
        self, rng: random.Random, texts: Texts, days: int, members: dict[str, int], arrivals: Arrivals | None = None
    ) -> None:
        texts.check()
        self.rng = rng
        self.texts = texts
        self.material = [answer for _, answer in texts.pairs]  # other models' answers, never given here
        self.when = arrivals or Arrivals(rng, days)
        self.days = days
        self.members = members  # accounts of tenants that have many
        self.people = Identities(rng)
        self.events: list[Event] = []
        self.harvest: dict[str, bool] = {}  # event id -> harvest, for events of attackers
        self.labels: list[dict[str, object]] = []
        self.campaigns: list[dict[str, object]] = []
        self._decks: dict[str, Iterator[tuple[int, object]]] = {}

    # ---- texts

    def walk(self, name: str, pool: Sequence[object]) -> Iterator[tuple[int, object]]:
        """(round, item) of a pool in random order, each item once a round; all who name the same deck share it."""
        if name not in self._decks:
            self._decks[name] = self._rounds(pool)
        return self._decks[name]

    def _rounds(self, pool: Sequence[object]) -> Iterator[tuple[int, object]]:
        lap = 0
        while True:
            for i in self.rng.sample(range(len(pool)), len(pool)):
                yield lap, pool[i]
            lap += 1

    def dialogue(self) -> Dialogue:
        """What a person talks about. No two people get the same dialogue; once all were dealt, they come back reworded."""
        lap, turns = next(self.walk("chats", self.texts.chats))
        assert isinstance(turns, list)
        return turns if lap == 0 else self._otherwise(turns)

    def _otherwise(self, turns: Dialogue) -> Dialogue:
        r = self.rng
        if len(turns) > 2 and r.random() < 0.5:
            turns = turns[1:]
        first = turns[0]
        if len(first) > 200:
            first = first[: r.randint(len(first) // 2, len(first) - 1)]
        if r.random() < 0.5:
            first = first.lower()
        tail = r.choice(("", " thanks", "?", " pls", " (for my project)", " - quick", "!", " again", " today"))
        return [r.choice(("", "ok ", "hey ", "and ", "so, ")) + first.rstrip("?!. ") + tail, *turns[1:]]

    def document(self, limit: int = 6000) -> str:
        """Long material that belongs to one customer."""
        lap, text = next(self.walk("documents", self.texts.documents))
        assert isinstance(text, str)
        if lap:  # another customer's paper on the same matter
            parts = text.split(". ")
            text = ". ".join(self.rng.sample(parts, max(1, len(parts) * 3 // 4)))
        return text[:limit]

    def related(self, pool: Sequence[str], least: int = 25) -> list[str]:
        """Texts of a pool that have most words in common with one of them: what one owner has to do with.

        How many is drawn between ``least`` and CANDIDATES: some owners' fields are narrow, some are not.
        """
        r = self.rng
        texts = r.sample(pool, min(CANDIDATES, len(pool)))
        words = [set(_WORD.findall(t[:400].lower())) for t in texts]
        common = {w for w, n in Counter(w for found in words for w in found).items() if n > COMMON * len(texts)}
        seed = words[0] - common
        alike = [len(seed & found) / math.sqrt(len(found) + 1) for found in words]
        order = sorted(range(len(texts)), key=lambda i: -alike[i])
        return [texts[i] for i in order[: round(least * (CANDIDATES / least) ** r.random())]]

    def hand_over(self, first: int, owner: Owner) -> None:
        """Make what was logged from position ``first`` on another owner's; who sent it until now has no other traffic."""
        senders = {e.account_id for e in self.events[first:]}
        self.labels[:] = [label for label in self.labels if label["account_id"] not in senders]
        self.events[first:] = [
            replace(
                event,
                account_id=owner.account_id,
                organization_id=owner.organization_id,
                api_key_id=self.rng.choice(owner.api_keys),
                client=Client() if "client" in owner.missing else self.rng.choice(owner.clients),
                account=Account() if "account" in owner.missing else owner.account,
            )
            for event in self.events[first:]
        ]

    def token(self, prefix: str = "", bits: int = 48) -> str:
        """A random id."""
        return f"{prefix}{self.rng.getrandbits(bits):0{bits // 4}x}"

    # ---- the log

    def messages(self, request: Request) -> list[Message]:
        """The conversation of a request."""
        messages: list[Message] = []
        answers = request.answers
        for i, turn in enumerate(request.turns):
            if i:
                answer = answers[i - 1] if i - 1 < len(answers) else self.rng.choice(self.texts.answers)[:300]
                messages.append(Message(role="assistant", content=answer))
            messages.append(Message(role="user", content=turn))
        return messages

    def send(self, owner: Owner, at: float, request: Request, harvest: bool | None = None) -> None:
        """Log one request ``at`` seconds after the start; ``harvest`` labels the requests of an attacker."""
        messages = self.messages(request)
        for step in range(request.tool_steps):
            messages += self.tool_step(request.tools or ("bash",), step)
        self.log(owner, at, request, messages, harvest)

    def tool_step(self, tools: Sequence[str], step: int) -> list[Message]:
        """An agent's call and what came of it."""
        r = self.rng
        call = {
            "name": r.choice(tools),
            "arguments": f'{{"input": "{r.choice(("ls", "open", "grep", "run", "list", "query"))} {step + r.randint(0, 40)}"}}',
        }
        result = r.choice(
            (
                "ok",
                "exit 0, {} lines",
                "{} results",
                "error: not found ({})",
                '{{"rows": {}}}',
                "diff of {} lines",
                "timeout after {} s",
            )
        )
        return [
            Message(role="assistant", content=None, tool_calls=[call]),
            Message(role="tool", content=result.format(r.randint(1, 400))),
        ]

    def log(self, owner: Owner, at: float, request: Request, messages: list[Message], harvest: bool | None) -> None:
        """Append the event."""
        r = self.rng
        random_ = r.random
        params = request.params or owner.params
        output = int(r.lognormvariate(math.log(request.output), 0.6)) + 1
        if params.max_tokens and output > params.max_tokens:
            output = params.max_tokens
        finish = (
            "length" if output == params.max_tokens else "tool_calls" if request.tools and random_() < 0.6 else "stop"
        )
        missing = owner.missing
        size = sum(len(m.content) for m in messages if type(m.content) is str) + len(request.system or "")
        tokens = size // 4 + 3
        response = None
        if owner.answers_logged and random_() < ANSWERS:
            response = request.response or r.choice(self.texts.answers)[: 4 * output]
        event_id = f"req_{r.getrandbits(64):016x}"
        self.events.append(
            Event(
                event_id=event_id,
                timestamp=START + min(max(at, 0.0), self.when.end) * _STEP,
                account_id=owner.account_id,
                organization_id=owner.organization_id,
                api_key_id=owner.api_keys[0] if len(owner.api_keys) == 1 else r.choice(owner.api_keys),
                end_user_id=request.end_user,
                session_id=request.session,
                model=request.model or owner.model,
                operation="chat",
                system=request.system,
                messages=messages,
                tools=list(request.tools) if request.tools else None,
                params=Params() if "params" in missing and request.params is None else params,
                usage=Usage()
                if "usage" in missing
                else Usage(
                    input_tokens=tokens,
                    output_tokens=output * (params.n or 1),
                    cached_input_tokens=tokens // 2 if len(messages) > 4 and random_() < 0.5 else None,
                ),
                response=response,
                finish_reason=None if "finish_reason" in missing else finish,
                status=200 if random_() > 0.01 else 429,
                latency_ms=None if "latency_ms" in missing else float(int(output * (8 + 12 * random_())) + 120),
                client=Client()
                if "client" in missing or random_() < FLICKER
                else owner.clients[0]
                if len(owner.clients) == 1
                else r.choice(owner.clients),
                account=Account() if "account" in missing else owner.account,
            )
        )
        if harvest is not None:
            self.harvest[event_id] = harvest

    def label(self, owner: Owner, kind: str, *, lookalike: bool) -> None:
        """Label an honest account."""
        self._label(owner, label="benign", family=kind, variant="", campaign_id=None, lookalike=lookalike, kind=kind)

    def label_attacker(self, owner: Owner, family: str, variant: str, campaign: str) -> None:
        """Label an account of a campaign."""
        self._label(
            owner, label="attack", family=family, variant=variant, campaign_id=campaign, lookalike=False, kind=None
        )

    def _label(self, owner: Owner, **label: object) -> None:
        self.labels.append({"account_id": owner.account_id, **label})

    # ---- conversations

    def converse(
        self,
        owner: Owner,
        turns: Sequence[str],
        at: float,
        harvest: bool | None = None,
        *,
        system: str | None = None,
        tools: Sequence[str] | None = None,
        end_user: str | None = None,
        output: float = 250.0,
        params: Params | None = None,
        tools_used: float = 0.0,
    ) -> None:
        """A dialogue held turn by turn, its history growing; the answers in it are those that were logged."""
        r = self.rng
        history: list[Message] = []
        session = self.token("sess_") if owner.has_sessions else None
        for turn in turns:
            if at > self.when.end:
                return
            history.append(Message(role="user", content=turn))
            while tools and r.random() < tools_used:
                self.log(
                    owner,
                    at,
                    Request((), system=system, tools=tools, end_user=end_user, output=40.0, session=session),
                    list(history),
                    harvest,
                )
                history += self.tool_step(tools, len(history))
                at += self.when.step()
            answer = r.choice(self.texts.answers)[:400]
            request = Request(
                (),
                system=system,
                tools=tools,
                end_user=end_user,
                output=output,
                params=params,
                session=session,
                response=answer,
            )
            self.log(owner, at, request, list(history), harvest)
            history.append(Message(role="assistant", content=answer))
            at += self.when.think(len(turn))
