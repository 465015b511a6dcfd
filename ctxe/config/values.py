"""The settings: one frozen dataclass per section, each key with its default and description."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from ctxe.domain.effort import Effort
from ctxe.domain.value import dataclass, field

Approval = Literal["ask", "auto-edit", "auto", "read-only"]


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """[model] Which model answers, and where it is reached."""

    name: str = field(
        default="", metadata={"says": "provider/name; empty: the provider whose key is set, else offline"}
    )
    effort: Literal["", Effort] = field(
        default="",
        metadata={"says": "how hard it thinks, as far as it takes that; empty: its provider's default"},
    )
    cheap: str = field(default="", metadata={"says": "model for summaries and delegates; empty: the session's own"})
    base_url: str = field(default="", metadata={"says": "an OpenAI-compatible server; user's file or flag only"})
    api: Literal["auto", "responses", "chat"] = field(
        default="auto", metadata={"says": "which OpenAI API; auto: responses for the real host, else chat"}
    )
    max_output: int = field(default=0, metadata={"says": "maximum tokens of one reply; 0: the model's own limit"})
    idle_seconds: float = field(
        default=120.0,
        metadata={"says": "give up when the stream is silent this long; unless you set it, a local server gets 600"},
    )


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """[budget] Limits of one request, one turn and one session."""

    window: int = field(default=0, metadata={"says": "tokens of request and reply; 0: the model's window"})
    target_tokens: int = field(default=0, metadata={"says": "fold above this many tokens, if lower than fold.at"})
    max_cost: float = field(default=0.0, metadata={"says": "dollars one session may cost; 0: no limit"})
    max_steps: int = field(default=100, metadata={"says": "model calls one turn may take"})


@dataclass(frozen=True, slots=True)
class ShareSettings:
    """[shares] Parts of the usable tokens; what a share does not use passes to the next."""

    memory: float = field(default=0.05, metadata={"says": "memory, decisions, failures, daily log"})
    memory_tokens: int = field(default=2_500, metadata={"says": "and at most this many tokens"})
    instructions: float = field(default=0.10, metadata={"says": "AGENTS.md and its kin"})
    instructions_tokens: int = field(default=8_000, metadata={"says": "and at most this many tokens"})
    skills: float = field(default=0.10, metadata={"says": "loaded skills"})
    files: float = field(default=0.20, metadata={"says": "files the planner chose"})
    files_tokens: int = field(default=20_000, metadata={"says": "and at most this many tokens"})


@dataclass(frozen=True, slots=True)
class ApprovalSettings:
    """[approval] Who decides what runs; the project's file may only tighten this."""

    mode: Approval = field(default="ask", metadata={"says": "ask, auto-edit, auto or read-only"})
    allow: tuple[str, ...] = field(
        default=(), metadata={"says": 'rules that need no question: "run:pytest *", "edit:src/**"'}
    )
    deny: tuple[str, ...] = field(default=(), metadata={"says": "rules that are never outvoted"})


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """[tools] Limits of the commands that the model runs."""

    command_seconds: float = field(default=120.0, metadata={"says": "time limit of a command"})
    sandbox: Literal["auto", "always", "off"] = field(
        default="auto", metadata={"says": "auto: what nobody approved runs in one; always: everything"}
    )
    network: bool = field(default=False, metadata={"says": "let sandboxed commands reach the network"})


@dataclass(frozen=True, slots=True)
class InstructionSettings:
    """[instructions] Files read in addition to AGENTS.md and the like."""

    read: tuple[str, ...] = field(
        default=(), metadata={"says": 'further files of the project: ["CONVENTIONS.md"]; read in every session'}
    )


@dataclass(frozen=True, slots=True)
class SkillSettings:
    """[skills] Domain modules: which are always loaded, which never, and what the list of them may cost."""

    always: tuple[str, ...] = field(default=(), metadata={"says": "names of modules that are loaded in every session"})
    never: tuple[str, ...] = field(default=(), metadata={"says": "names of modules that do not exist for ctxe"})
    share: float = field(
        default=0.02, metadata={"says": "part of the window that the list of modules may take, at most 1,500 tokens"}
    )
    matching: bool = field(default=True, metadata={"says": "load a module when your words are clearly about it"})
    folders: tuple[str, ...] = field(
        default=("~/.agents/skills", "~/.claude/skills"),
        metadata={"says": "your own folders of modules, beside skills/ in your ctxe folder"},
    )


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """[memory] The project memory folder."""

    enabled: bool = field(default=True, metadata={"says": "load and write project memory"})
    daily_lines: int = field(default=12, metadata={"says": "newest lines of the daily log that are loaded"})
    remember: Literal["ask", "inbox"] = field(
        default="ask", metadata={"says": "what the model wants remembered: ask at once, or put it into the inbox"}
    )
    digest: Literal["off", "rules", "model"] = field(
        default="rules", metadata={"says": "what a session proposes at its end; model: your cheap one is asked, too"}
    )


@dataclass(frozen=True, slots=True)
class FailureSettings:
    """[failures] What happens when a call is about to repeat a known failure."""

    gate: Literal["tell", "stop", "off"] = field(
        default="tell", metadata={"says": "tell: answer once instead of running; stop: ask the user; off: run"}
    )


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """[checks] The user's commands that check what the model changed; the user's file only."""

    edits: tuple[str, ...] = field(
        default=(), metadata={"says": 'after each step that edits: ["*.py: ruff check {files}"]; a failure is told'}
    )
    turn: str = field(
        default="", metadata={"says": 'before a turn that edited is over: "pytest -q"; the model fixes what fails'}
    )
    rounds: int = field(default=3, metadata={"says": "how often it is sent back to fix that in one turn"})


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """[plan] How the files for a task are chosen."""

    refine: bool = field(
        default=False, metadata={"says": "let the cheap model look over each plan, in at most two questions"}
    )


@dataclass(frozen=True, slots=True)
class DelegateSettings:
    """[delegate] Questions that the model passes to a second conversation, which only reads."""

    enabled: bool = field(default=True, metadata={"says": "offer the model the delegate tool"})
    model: str = field(
        default="", metadata={"says": "the model that answers; empty: model.cheap, else the session's own"}
    )
    max_steps: int = field(default=20, metadata={"says": "model calls that one question may take"})
    max_cost: float = field(default=1.0, metadata={"says": "dollars that one question may cost; 0: no limit"})
    window: int = field(
        default=64_000, metadata={"says": "tokens of its requests and replies; 0: as many as the session's"}
    )
    answer_tokens: int = field(default=1_500, metadata={"says": "tokens of an answer; the rest is kept for recall"})


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """[retrieval] Vectors and additional documents for the planner's search; user's file or flags only."""

    embeddings: str = field(default="", metadata={"says": "provider/name of an embedding model; empty: no vectors"})
    base_url: str = field(default="", metadata={"says": "an OpenAI-compatible server of embeddings"})
    weight: float = field(default=1.0, metadata={"says": "how much vectors count beside all other signals"})
    sources: tuple[str, ...] = field(default=(), metadata={"says": "folders of documentation outside the project"})


@dataclass(frozen=True, slots=True)
class FoldSettings:
    """[fold] When history is folded, and to what size; the replay benchmark supports the defaults."""

    at: float = field(default=1.0, metadata={"says": "fold when this share of the room is used"})
    to: float = field(default=0.6, metadata={"says": "and leave this share of it, beside 4,000 tokens"})
    keep_recent: int = field(default=1, metadata={"says": "newest steps that always stay whole"})
    record_share: float = field(default=0.85, metadata={"says": "part of what is left that the record may take"})
    decay_after: int = field(
        default=12, metadata={"says": "steps after which long outputs keep only their ends; 0: off"}
    )
    window: int = field(default=0, metadata={"says": "maximum of steps kept whole (sliding window); 0: off"})
    summary: Literal["checkpoint", "compact", "always"] = field(
        default="checkpoint", metadata={"says": "a model sums up: at /checkpoint, at /compact too, or at every fold"}
    )
    checkpoint_every: int = field(default=0, metadata={"says": "steps between summaries by the model; 0: off"})


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """[screen] The terminal; the user's file only."""

    bell: float = field(
        default=30.0, metadata={"says": "ring when work that took this many seconds ends or asks you; 0: never"}
    )
    keys: Literal["emacs", "vi"] = field(default="emacs", metadata={"says": "how the input line is edited"})


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """[mcp.servers.NAME] A Model Context Protocol server whose tools the model may use; the user's file only."""

    command: str = field(default="", metadata={"says": "a program that speaks the protocol on its input and output"})
    args: tuple[str, ...] = field(default=(), metadata={"says": "its arguments; ${NAME} is a variable of yours"})
    env: Mapping[str, str] = field(
        default_factory=dict, metadata={"says": 'variables it gets beside a clean set: {TOKEN = "${TOKEN}"}'}
    )
    cwd: str = field(default="", metadata={"says": 'where it runs; empty: your home, ".": the project\'s root'})
    url: str = field(default="", metadata={"says": "in place of a program: an address (streamable HTTP)"})
    headers: Mapping[str, str] = field(
        default_factory=dict, metadata={"says": 'what is sent there: {Authorization = "Bearer ${TOKEN}"}'}
    )
    enabled: bool = field(default=True, metadata={"says": "false: it does not exist for ctxe"})
    folders: tuple[str, ...] = field(default=(), metadata={"says": "in and below which it is; empty: everywhere"})
    timeout: float = field(default=60.0, metadata={"says": "seconds one call may take"})
    start_timeout: float = field(default=30.0, metadata={"says": "seconds until it must have told its tools"})
    allow: tuple[str, ...] = field(default=(), metadata={"says": 'its tools that need no question: ["search_*"]'})
    deny: tuple[str, ...] = field(default=(), metadata={"says": "its tools that are never run"})


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, one section per field.

    ``models`` holds the user's overrides of the model catalog by name, ``mcp`` the user's servers by name.
    """

    model: ModelSettings = ModelSettings()
    budget: BudgetSettings = BudgetSettings()
    shares: ShareSettings = ShareSettings()
    fold: FoldSettings = FoldSettings()
    approval: ApprovalSettings = ApprovalSettings()
    tools: ToolSettings = ToolSettings()
    instructions: InstructionSettings = InstructionSettings()
    skills: SkillSettings = SkillSettings()
    memory: MemorySettings = MemorySettings()
    failures: FailureSettings = FailureSettings()
    checks: CheckSettings = CheckSettings()
    plan: PlanSettings = PlanSettings()
    delegate: DelegateSettings = DelegateSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    screen: ScreenSettings = ScreenSettings()
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    mcp: Mapping[str, ServerSettings] = field(default_factory=lambda: MappingProxyType({}))
