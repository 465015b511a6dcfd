"""Protected files, which configure ctxe, git or other assistants: only a person may allow writing or creating them."""

from __future__ import annotations

import itertools
import unicodedata

from ctxe.domain.pattern import pattern
from ctxe.lexical.tables import word_set

PIPELINE = "a pipeline that runs elsewhere, with secrets"
FOLDERS = {
    ".git": "the repository's own data and hooks",
    ".ctxe": "the project memory and its policy",
    ".husky": "git hooks",
    ".githooks": "git hooks",
    ".agents": "skills of assistants",
    ".claude": "settings and skills of an assistant",
    ".codex": "settings of an assistant",
    **dict.fromkeys(
        word_set(
            ".cursor .windsurf .clinerules .roo .kilocode .kiro .continue .amazonq .junie .augment .trae .qwen .gemini"
            " .opencode .crush .goose"
        ),
        "rules and settings of an assistant",
    ),
    **dict.fromkeys(word_set(".vscode .idea .zed .fleet .devcontainer"), "settings that can run programs"),
    ".circleci": PIPELINE,
    ".buildkite": PIPELINE,
    ".woodpecker": PIPELINE,
}
WITHIN = {
    **{(host, inner): PIPELINE for host in (".github", ".gitea", ".forgejo") for inner in ("workflows", "actions")},
    **{
        (".github", inner): "instructions to assistants"
        for inner in ("instructions", "prompts", "chatmodes", "agents", "skills", "hooks")
    },
}
"""Protected folders inside a folder that is not protected itself."""
FILES = {
    ".ctxe.toml": "settings of ctxe",
    ".ctxeignore": "the paths that ctxe may read",
    ".gitmodules": "the sources of submodules",
    ".gitconfig": "settings of git",
    ".mcp.json": "programs that assistants start",
    "mcp.json": "programs that assistants start",
    **dict.fromkeys(word_set(".envrc mise.toml .mise.toml"), "commands that a shell runs on entering"),
    **dict.fromkeys(
        word_set(
            ".pre-commit-config.yaml .pre-commit-config.yml lefthook.yml lefthook.yaml .lefthook.yml .overcommit.yml"
        ),
        "git hooks",
    ),
    **dict.fromkeys(word_set("opencode.json opencode.jsonc crush.json .crush.json"), "programs that assistants start"),
    ".devcontainer.json": "settings that can run programs",
    **dict.fromkeys(
        word_set(
            "agents.md agents.local.md agents.override.md claude.md claude.local.md gemini.md memory.md skill.md"
            " .cursorrules .windsurfrules .clinerules .goosehints .roorules .roomodes .aider.conf.yml"
            " copilot-instructions.md qwen.md crush.md warp.md"
        ),
        "instructions to assistants",
    ),
    **dict.fromkeys(
        word_set(
            ".gitlab-ci.yml .gitlab-ci.yaml jenkinsfile .travis.yml azure-pipelines.yml azure-pipelines.yaml"
            " bitbucket-pipelines.yml .drone.yml .woodpecker.yml .woodpecker.yaml appveyor.yml .appveyor.yml"
            " cloudbuild.yaml cloudbuild.yml .cirrus.yml buildspec.yml"
        ),
        PIPELINE,
    ),
}

# characters that some file systems, such as HFS+, ignore in names, so that ".g\u200cit" is the same as ".git"
_IGNORED = pattern("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_SHORT = pattern(r"(git|ctxe)~[0-9]+")


def plain_name(component: str) -> str:
    """The name of a folder or file as the most lenient file system compares it: case, Unicode form, ignored endings."""
    name = unicodedata.normalize("NFKC", _IGNORED.sub("", component)).casefold()
    name = unicodedata.normalize("NFKC", name).partition(":")[0].rstrip(". ") or component
    return _SHORT.sub(r".\1", name)


def protection(path: str) -> str:
    """Why a path is protected, relative or absolute, existing or not; empty when it is not."""
    from ctxe.safety.secrets import is_secret_file

    parts = [plain_name(part) for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    folder = next((part for part in parts if part in FOLDERS), None)
    if folder is not None:
        return FOLDERS[folder]
    pair = next((pair for pair in itertools.pairwise(parts) if pair in WITHIN), None)
    if pair is not None:
        return WITHIN[pair]
    if parts and parts[-1] in FILES:
        return FILES[parts[-1]]
    if is_secret_file("/".join(parts)) or parts[-1:] == [".env"]:
        return "keys and passwords"
    return ""
