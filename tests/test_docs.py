"""The pages are true: links lead somewhere, commands compose, outputs are what is printed, code runs."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import mmlm_core
from mmlm_core.cli.main import COMMANDS, main
from mmlm_core.options import option_types
from mmlm_core.overriding import override
from mmlm_core.plugins import load_plugins
from mmlm_core.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted(DOCS.rglob("*.md"))]
PAGES = [page for page in PAGES if DOCS / "reference" not in page.parents]  # those are generated anew below
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

Environment = dict[str, str]


def program(name: str) -> ModuleType:
    """Return a program of `docs/` as a module."""
    spec = importlib.util.spec_from_file_location(f"mmlm_docs_{name}", DOCS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate, transcripts = program("generate"), program("transcripts")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's pages, with the reference as it is generated now."""
    folder = tmp_path_factory.mktemp("pages")
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    generate.write(folder / "docs" / "reference")
    return folder


# Links


def prose(text: str) -> str:
    """Return a page without its code."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$|^    .*?$", "", text, flags=re.MULTILINE | re.DOTALL))


def links(text: str) -> Iterator[str]:
    """Yield the targets of a page's links and pictures that are no addresses."""
    for found in re.finditer(r"\]\(([^()\s]+)\)", prose(text)):
        if not re.match(r"[a-z]+:", found[1]):
            yield found[1]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings: those that they name, or what GitHub and Python-Markdown make of them."""
    found = set()
    for line in re.findall(r"^#+ +(.*?)\s*$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), flags=re.M):
        named = re.search(r"\{ #([\w-]+) \}$", line)
        words = re.sub(r"[^\w\s-]", "", re.sub(r"\{.*\}$|`", "", line).strip().lower())
        found.add(named[1] if named else re.sub(r"\s", "-", words))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_link_and_anchor_leads_somewhere(name: str, tree: Path) -> None:
    page = tree / name
    for link in links(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        there = target if target.exists() else ROOT / os.path.relpath(target, tree)
        assert there.exists(), f"{name} links to `{link}`"
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), f"{name} links to `{link}`"


def test_a_broken_link_and_a_broken_anchor_are_found() -> None:
    text = "# One page\n\n[a](b.md#two) `[no](link)` [c](https://x) [d](#one-page)\n\n```sh\n[no](link)\n```\n"
    assert list(links(text)) == ["b.md#two", "#one-page"]
    assert anchors(text + "## backbone=gru { #backbone-gru }\n## 第一步\n") == {"one-page", "backbone-gru", "第一步"}


def test_the_readmes_link_to_each_other() -> None:
    assert "README.zh-CN.md" in links((ROOT / "README.md").read_text(encoding="utf-8"))
    assert "README.md" in links((ROOT / "README.zh-CN.md").read_text(encoding="utf-8"))


# Commands


def calls(line: str) -> Iterator[tuple[Environment, list[str]]]:
    """Yield the calls of `mmlm` on a command line, each with the variables that are set for it."""
    for inner in re.findall(r"\$\((mmlm [^)]*)\)", line):
        yield {}, shlex.split(inner)[1:]
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("|;&<>"):
            start = next((i for i, w in enumerate(words) if "=" not in w and w not in ("srun", "export")), len(words))
            if words[start : start + 1] == ["mmlm"]:
                yield dict(w.split("=", 1) for w in words[:start] if "=" in w), words[start + 1 :]
            words = []
        else:
            words.append(word)


def exported(line: str) -> Environment:
    """Return the variable that a line exports."""
    return dict(word.split("=", 1) for word in shlex.split(line)[1:]) if line.startswith("export ") else {}


def files(text: str, folder: Path) -> None:
    """Write the files that a page shows, each by the title of its block."""
    for found in transcripts.BLOCK.finditer(text):
        title = re.search(r'title="([^"]+)"', found["title"])
        if title:
            path = folder / title[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(found["body"], encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_command_can_be_given(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is read by its command, and what it composes fits together; those of `console` blocks are run below."""
    text = (ROOT / name).read_text(encoding="utf-8")
    monkeypatch.delenv("MMLM_PLUGINS", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    new = [line for line in transcripts.commands(text) if line.startswith("mmlm plugin new")]
    for line in new:
        give(shlex.split(line)[1:])
    files(text, tmp_path)
    plugins = [*transcripts.installed(text), *(path.parent for path in tmp_path.glob("mmlm-*/pyproject.toml"))]
    for path in (path for plugin in plugins for path in transcripts.install(plugin, tmp_path / "installed")):
        monkeypatch.syspath_prepend(path)
    shown = {line for block in transcripts.blocks(text, "console") for line in block.splitlines()}
    for line in transcripts.commands(text):
        for variable, value in exported(line).items():
            monkeypatch.setenv(variable, value)
        if f"$ {line}" in shown or line in new:
            continue
        for environment, words in calls(line):
            with monkeypatch.context() as patch:
                for variable, value in environment.items():
                    patch.setenv(variable, value)
                try:
                    give(words)
                except BaseException as error:
                    raise AssertionError(f"{name}: `{line}`: {error}") from error


def give(words: list[str]) -> None:
    """Read a command, and compose what it composes; train nothing."""
    command, rest = words[0], words[1:]
    if command == "train":
        compose(rest)
    elif command in ("eval", "predict", "generate"):
        use(command, rest)
    elif command == "doctor":
        assert not rest  # it examines the machine, which differs
    elif words[:2] == ["plugins", "check"]:
        assert rest[1:]  # it runs the contracts, which take seconds
    elif command == "data":
        assert rest[0] in ("check", "preview")  # they read every row
        compose([word for word in rest[1:] if "=" in word])
    else:
        assert main(words) == 0


def compose(words: list[str]) -> None:
    """Compose a training, of a sweep the first and the last job, and check that the parts fit."""
    from mmlm_core.cli import checking, composing
    from mmlm_core.cli.train_command import _parser

    args = _parser().read(words)
    if args.resume is not None:
        assert not args.overrides
        return
    if args.help or args.cfg:
        assert main(["train", *words]) == 0
        return
    if args.config_dir:
        assert main(["compat", "--config-dir", str(args.config_dir), *args.overrides]) == 0
        return
    parsed = [o for o in checking.parse(args.overrides) if not o.is_hydra_override() and not o.get_key_element().startswith("hydra/")]  # fmt: skip
    assert args.multirun == any(override.is_sweep_override() for override in parsed)
    listed = [o for o in parsed if not o.is_sweep_override() or o.is_discrete_sweep()]
    jobs = composing.jobs(listed) or []
    for job in (*jobs[:1], *jobs[1:][-1:]):
        compose_once(tuple(job))


@cache
def compose_once(overrides: tuple[str, ...]) -> None:
    """Compose what several pages may show, once."""
    mmlm_core.compose(overrides)


def use(command: str, words: list[str]) -> None:
    """Read a command that uses a run, up to the run, which is not there; and its overrides."""
    from mmlm_core.cli.rows import split_overrides

    run = next(word for word in words if word.startswith("runs/"))
    assert main([command, *words]) == 2 and not Path(run).exists()
    overrides = [word for word in split_overrides(words)[1] if "." in word.partition("=")[0] or word == "data=table"]
    mapping = mmlm_core.compose(["experiment=emoji_captioning"]).to_mapping()
    override(mapping, load_plugins().registry, overrides)


@pytest.mark.parametrize("name", [n for n in NAMES if "```console" in (ROOT / n).read_text(encoding="utf-8")])
def test_what_a_console_block_shows_is_what_is_printed(name: str, tmp_path: Path) -> None:
    """Where it is not: `python docs/transcripts.py` writes the outputs anew."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert transcripts.refresh(text, transcripts.runner(tmp_path, transcripts.installed(text))) == text


# The reference


def test_the_reference_has_every_component_with_every_option(tree: Path) -> None:
    folder = tree / "docs" / "reference" / "components"
    for component in load_plugins().registry:
        text = (folder / f"{component.kind.partition('/')[0]}.md").read_text(encoding="utf-8")
        section = text.partition(f"\n## {component.kind}={component.name} ")[2].partition("\n## ")[0]
        assert component.doc in section and component.target in section
        for option in option_types(component.options):
            assert f".{option}</code>" in section, f"{component.kind}={component.name}: {option}"


def test_the_reference_tells_ranges_and_defaults(tree: Path) -> None:
    text = (tree / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "<code>loader.workers</code>" in line)
    assert line.split(" | ")[1:3] == ["<code>auto</code>", "<code>int &#124; auto</code>, from 0 to 256"]


def test_the_reference_has_every_command_setting_and_preset(tree: Path) -> None:
    folder = tree / "docs" / "reference"
    commands, settings, presets = (
        (folder / f"{name}.md").read_text(encoding="utf-8") for name in ("commands", "settings", "presets")
    )
    assert all(f"\n## mmlm {command}\n" in commands for command in COMMANDS)
    assert "--multirun" in commands and "--split" in commands
    assert all(f"\n## {group}\n" in settings for group in Settings.groups())
    for path in (ROOT / "conf").glob("*/*.yaml"):
        assert f"\n## {path.parent.name}={path.stem} {{" in presets
    for path in (ROOT / "conf" / "scale").glob("*/*.yaml"):
        assert f"\n## experiment={path.stem} scale={path.parent.name} {{" in presets


def test_every_reference_page_is_in_the_menu_of_the_site(tree: Path) -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (tree / "docs").rglob("*.md"):
        assert str(page.relative_to(tree / "docs")) in menu


# Code


@pytest.mark.parametrize("name", [n for n in NAMES if "<!-- installed: " in (ROOT / n).read_text(encoding="utf-8")])
def test_the_code_of_a_page_on_a_plugin_is_the_code_of_the_plugin(name: str) -> None:
    """Where it is not: `python docs/transcripts.py` writes it anew."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert transcripts.excerpts(text) == text


def test_code_that_is_out_of_date_is_found() -> None:
    text = (DOCS / "how-to" / "new-modality.md").read_text(encoding="utf-8")
    stale = text.replace("pad_sequence(clouds, batch_first=True)", "pad(clouds)")
    assert stale != text == transcripts.excerpts(stale)


def test_the_head_of_the_page_keeps_its_contracts(tmp_path: Path) -> None:
    files((DOCS / "how-to" / "own-head.md").read_text(encoding="utf-8"), tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={tmp_path}", "tests"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_table_of_the_tutorial_trains(tmp_path: Path) -> None:
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    files(text, tmp_path)
    subprocess.run([sys.executable, "make_table.py"], cwd=tmp_path, check=True)
    train = next(line for line in transcripts.commands(text) if "data.path=captions.csv" in line)
    assert (tmp_path / "captions.csv").read_text(encoding="utf-8").count("\n") > 1000
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mmlm")), *shlex.split(train)[1:], "trainer=debug", "run.name=table",
         "trainer.max_minutes=null", "trainer.max_steps=2", "trainer.threads=1", "data.limit=32", "backbone.depth=1",
         "backbone.width=64", "encoder.image.channels=[8,16]", "decoding.max_tokens=4", "tracker.wandb=off"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "table" / "report.html").is_file()


@pytest.mark.slow
def test_the_plugin_of_the_tutorial_keeps_its_contracts_and_builds(tmp_path: Path) -> None:
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    run = transcripts.runner(tmp_path)
    run(next(line for line in transcripts.commands(text) if line.startswith("mmlm plugin new")))
    files(text, tmp_path / "here")
    folder = tmp_path / "here" / "mmlm-squash"
    assert "tanh" in (folder / "mmlm_squash" / "squash.py").read_text(encoding="utf-8")
    checked = transcripts.runner(tmp_path / "again", [folder])("mmlm plugins check squash")
    assert checked in "\n".join(transcripts.blocks(text, "text")), checked
    built = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", str(folder)], capture_output=True, text=True, check=False
    )
    assert built.stdout.splitlines()[-1] in text, built.stdout + built.stderr


@pytest.mark.slow
def test_the_site_is_built_strictly(tmp_path: Path) -> None:
    builder = shutil.which("zensical", path=str(Path(sys.executable).parent))
    if builder is None:
        pytest.skip("Zensical is not installed: `pip install mmlm-core[docs]`.")
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("reference"))
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    (tmp_path / "mmlm_core").symlink_to(ROOT / "mmlm_core")
    generate.write(tmp_path / "docs" / "reference")
    done = subprocess.run([builder, "build", "--strict"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    api = (tmp_path / "site" / "reference" / "api" / "interfaces" / "index.html").read_text(encoding="utf-8")
    assert 'id="mmlm_core.interfaces.Head.queries"' in api


def test_the_notebook_installs_what_it_composes() -> None:
    text = (EXAMPLES / "quickstart.ipynb").read_text(encoding="utf-8")
    installed = re.search(r"parts = \[(.*?)\]", text)
    assert installed
    parts = {f"mmlm-{part}" for part in re.findall(r'\\"(\w+)\\"', installed[1])}
    registry = load_plugins().registry
    for overrides in (["experiment=emoji_captioning"], ["experiment=emoji_captioning", "backbone=gru"]):
        chosen = mmlm_core.compose([*overrides, "trainer.devices=1", "trainer.strategy=auto"]).choices.values()
        assert {registry.giver(choice.component.kind, choice.component.name) for choice in chosen} <= parts


@pytest.mark.slow
def test_the_notebook_trains_and_shows_captions_under_pictures(tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(EXAMPLES / "quickstart.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "commit the notebook without outputs"
    os.environ["MMLM_QUICKSTART_MINUTES"] = "0.1"
    try:
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    finally:
        del os.environ["MMLM_QUICKSTART_MINUTES"]
    shown = [output["data"]["text/html"] for cell in notebook.cells for output in cell.get("outputs", ())
             if "text/html" in output.get("data", {})]  # fmt: skip
    assert any("<img" in html and "figcaption" in html for html in shown)
