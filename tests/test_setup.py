"""The set-up scripts, run against made-up interpreters and installers: no network, no .venv of ours."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# What the scripts themselves call; everything else has to come from the folder a test fills.
TOOLS = ["bash", "cat", "cksum", "cut", "dirname", "env", "flock"]
TOOLS += ["mkdir", "paste", "rm", "sed", "sort", "tail", "tr"]


def executable(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)
    return path


def fake_python(folder: Path, name: str, version: str, speed: str = "fast", headers: str = "headers") -> Path:
    """An interpreter that answers find-python's question as one of this kind would, and setup's as itself."""
    path = folder / name
    return executable(
        path,
        f'case "$*" in\n'
        f'  "-I -") echo "{version} {speed} {headers} {path}" ;;\n'
        f'  "-I -c"*) echo "{version}.0 build of {path}" ;;\n'
        f'  "-c"*) echo "{version}.0" ;;\n'
        f"  *) exit 1 ;;\n"
        f"esac",
    )


@pytest.fixture
def tools(tmp_path):
    """A folder with the shell's tools and nothing else: no Python, no uv, no compiler."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in TOOLS:
        where = shutil.which(tool)
        if where is None:
            pytest.skip(f"this machine has no {tool}")
        (folder / tool).symlink_to(where)
    return folder


def run(command, path, cwd=ROOT, **environment):
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": os.pathsep.join(map(str, path)), "HOME": str(cwd), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


class TestFindPython:
    def find(self, tools, *folders, **environment):
        return run([ROOT / "scripts/find-python", *folders], [tools], **environment)

    def test_a_newer_version_of_an_equal_build_wins(self, tmp_path, tools):
        fake_python(tmp_path / "a", "python3.10", "3.10")
        best = fake_python(tmp_path / "b", "python3.11", "3.11")
        assert self.find(tools, tmp_path / "a", tmp_path / "b").stdout == f"{best}\n"

    @pytest.mark.parametrize("order", [("slow", "fast"), ("fast", "slow")])
    def test_an_optimized_build_beats_a_plain_one_wherever_it_stands(self, tmp_path, tools, order):
        fake_python(tmp_path / "slow", "python3.11", "3.11", speed="slow")
        best = fake_python(tmp_path / "fast", "python3.10", "3.10")
        found = self.find(tools, *(tmp_path / name for name in order))
        assert found.stdout == f"{best}\n"
        assert found.stderr == ""

    def test_a_plain_build_serves_when_there_is_no_other_and_says_so(self, tmp_path, tools):
        only = fake_python(tmp_path / "slow", "python3", "3.11", speed="slow")
        found = self.find(tools, tmp_path / "slow")
        assert found.stdout == f"{only}\n"
        assert "without optimizations" in found.stderr

    def test_an_interpreter_without_headers_gives_way_to_one_that_has_them(self, tmp_path, tools):
        fake_python(tmp_path / "a", "python3.11", "3.11", headers="none")
        best = fake_python(tmp_path / "b", "python3.11", "3.11", speed="slow")
        assert self.find(tools, tmp_path / "a", tmp_path / "b").stdout == f"{best}\n"

    def test_missing_headers_are_named(self, tmp_path, tools):
        fake_python(tmp_path / "a", "python3.11", "3.11", headers="none")
        found = self.find(tools, tmp_path / "a")
        assert found.returncode == 1
        assert found.stdout == ""
        assert "Python.h" in found.stderr

    def test_a_shim_that_does_not_run_is_passed_over(self, tmp_path, tools):
        executable(tmp_path / "shims" / "python3.11", "echo 'not installed' >&2; exit 127")
        best = fake_python(tmp_path / "b", "python3.10", "3.10")
        assert self.find(tools, tmp_path / "shims", tmp_path / "b").stdout == f"{best}\n"

    def test_no_usable_version_says_which_were_found_and_what_to_install(self, tmp_path, tools):
        fake_python(tmp_path / "a", "python3", "3.13")
        fake_python(tmp_path / "b", "python3", "3.9")
        found = self.find(tools, tmp_path / "a", tmp_path / "b")
        assert found.returncode == 1
        assert "only 3.9, 3.13" in found.stderr
        assert "apt-get install python3.11 python3.11-dev" in found.stderr

    def test_nothing_at_all(self, tmp_path, tools):
        found = self.find(tools, tmp_path)
        assert found.returncode == 1
        assert "no Python 3.11 or 3.10 found;" in found.stderr

    def test_a_named_interpreter_is_taken_even_if_a_better_one_exists(self, tmp_path, tools):
        named = fake_python(tmp_path / "named", "python", "3.10", speed="slow")
        fake_python(tmp_path / "b", "python3.11", "3.11")
        found = self.find(tools, tmp_path / "b", PYTHON=str(named))
        assert found.stdout == f"{named}\n"
        assert "without optimizations" in found.stderr

    @pytest.mark.parametrize(
        ("version", "message"), [("3.12", "is Python 3.12; this project needs"), (None, "does not run")]
    )
    def test_a_named_interpreter_that_cannot_serve_is_refused_not_replaced(
        self, tmp_path, tools, version, message
    ):
        named = fake_python(tmp_path, "named", version) if version else tmp_path / "absent"
        fake_python(tmp_path / "b", "python3.11", "3.11")
        found = self.find(tools, tmp_path / "b", PYTHON=str(named))
        assert (found.returncode, found.stdout) == (1, "")
        assert message in found.stderr

    def test_the_real_search_finds_a_real_interpreter(self):
        found = run([ROOT / "scripts/find-python"], os.environ["PATH"].split(os.pathsep))
        assert found.returncode == 0, found.stderr
        answer = run([found.stdout.strip(), "-c", "import sys; print(sys.version_info[:2])"], ["/usr/bin"])
        assert answer.stdout.strip() in ("(3, 11)", "(3, 10)")


# Stands in for uv: notes its arguments, makes what a venv and an editable install would leave behind.
UV = """
echo "$*" >>{log}
case "$1 $2" in
  "--version "*) echo "uv 1.2.3" ;;
  "venv "*) mkdir -p .venv/bin && cp {python} .venv/bin/python ;;
  "pip sync") [ ! -e {fail} ] || exit 3; touch .venv/synced ;;
  "pip install") [[ "$*" != *--editable* ]] || {{ touch .venv/bin/segments; chmod +x .venv/bin/segments; }} ;;
esac
"""


class Project:
    """A copy of what set-up reads, with a uv that only takes notes."""

    def __init__(self, folder: Path, tools: Path):
        self.root = folder / "project"
        self.tools = tools
        self.log = folder / "uv.log"
        self.fail = folder / "fail"
        self.python = fake_python(folder / "pythons", "python3.11", "3.11")
        for name in ("scripts", "locks"):
            shutil.copytree(ROOT / name, self.root / name)
        shutil.copy(ROOT / "pyproject.toml", self.root)
        for tool in ("cp", "touch", "chmod"):
            (tools / tool).symlink_to(shutil.which(tool))
        executable(tools / "c++", "exit 0")
        executable(tools / "uv", UV.format(log=self.log, fail=self.fail, python=self.python))

    def setup(self, **environment):
        """Runs set-up; returns the finished process and what uv was asked to do but for its version."""
        self.log.write_text("")
        done = run(
            [self.root / "scripts/setup"],
            [self.tools],
            cwd=self.root,
            **{"PYTHON": str(self.python)} | environment,
        )
        return done, [line for line in self.log.read_text().splitlines() if not line.startswith("--version")]


@pytest.fixture
def project(tmp_path, tools):
    return Project(tmp_path, tools)


class TestSetup:
    def test_installs_the_hashed_lock_and_the_project(self, project):
        done, calls = project.setup()
        assert done.returncode == 0, done.stderr
        assert [" ".join(call.split()[:2]) for call in calls] == [
            "venv --quiet",
            "pip install",
            "pip sync",
            "pip install",
        ]
        build, sync, ours = calls[1:]
        assert "--require-hashes" in build and "locks/build.txt" in build
        assert "--require-hashes" in sync and "--compile-bytecode" in sync and sync.endswith("locks/dev.txt")
        assert "--no-deps" in ours and ours.endswith("--editable .")
        assert all("--no-build-isolation" in call for call in calls[1:])
        assert "Python 3.11.0" in done.stdout and "done in" in done.stdout

    def test_does_nothing_when_nothing_changed_within_a_second(self, project):
        project.setup()
        start = time.perf_counter()
        done, calls = project.setup()
        assert time.perf_counter() - start < 1.0
        assert (done.returncode, done.stdout, done.stderr, calls) == (0, "", "", [])

    def test_works_from_any_folder(self, project, tmp_path):
        done = run(
            [project.root / "scripts/setup"], [project.tools], cwd=tmp_path, PYTHON=str(project.python)
        )
        assert done.returncode == 0, done.stderr
        assert (project.root / ".venv/bin/segments").exists()

    @pytest.mark.parametrize("name", ["locks/dev.txt", "locks/build.txt", "pyproject.toml", "scripts/setup"])
    def test_a_change_installs_again_into_the_same_environment(self, project, name):
        project.setup()
        (project.root / ".venv/kept").touch()
        with (project.root / name).open("a") as file:
            file.write("\n# changed\n")
        done, calls = project.setup()
        assert done.returncode == 0, done.stderr
        assert any(call.startswith("pip sync") for call in calls)
        assert not any(call.startswith("venv") for call in calls)
        assert (project.root / ".venv/kept").exists()
        assert project.setup()[1] == []

    def test_an_interrupted_set_up_starts_afresh(self, project):
        project.fail.touch()
        done, _ = project.setup()
        assert done.returncode != 0
        (project.root / ".venv/half").touch()
        project.fail.unlink()
        done, calls = project.setup()
        assert done.returncode == 0, done.stderr
        assert calls[0].startswith("venv")
        assert not (project.root / ".venv/half").exists()

    def test_an_update_that_was_interrupted_is_not_taken_for_done(self, project):
        project.setup()
        with (project.root / "locks/dev.txt").open("a") as file:
            file.write("# changed\n")
        project.fail.touch()
        assert project.setup()[0].returncode != 0
        project.fail.unlink()
        assert project.setup()[1] != []

    def test_a_lost_command_is_put_back(self, project):
        project.setup()
        (project.root / ".venv/bin/segments").unlink()
        project.setup()
        assert (project.root / ".venv/bin/segments").exists()

    def test_a_moved_checkout_is_built_again(self, project, tmp_path):
        project.setup()
        project.root = project.root.rename(tmp_path / "elsewhere")
        done, calls = project.setup()
        assert done.returncode == 0, done.stderr
        assert calls[0].startswith("venv")

    def test_another_named_interpreter_builds_again_and_none_keeps_the_last(self, project, tmp_path):
        project.setup()
        assert project.setup(PYTHON="")[1] == []
        other = fake_python(tmp_path / "other", "python3.10", "3.10")
        _, calls = project.setup(PYTHON=str(other))
        assert calls[0] == f"venv --quiet --allow-existing --no-python-downloads --python {other} .venv"

    def test_a_missing_compiler_is_named_before_anything_is_touched(self, project):
        (project.tools / "c++").unlink()
        done, calls = project.setup()
        assert (done.returncode, calls) == (1, [])
        assert "no C++ compiler" in done.stderr and "apt-get install g++" in done.stderr
        assert not (project.root / ".venv").exists()


class TestFindUv:
    """uv that is not on PATH comes from the hashed pin, by whatever installer there is."""

    def find(self, project, *path):
        return run(
            [project.root / "scripts/find-uv", project.python], [project.tools, *path], cwd=project.root
        )

    @pytest.fixture
    def bare(self, project):
        (project.tools / "uv").unlink()
        return project

    @staticmethod
    def pip(path: Path, log: Path, succeeds: bool = True) -> Path:
        """A pip that notes its arguments and leaves a uv in --target, or fails."""
        install = (
            'while [ "$1" != --target ]; do shift; done; mkdir -p "$2/bin"; '
            'printf "#!/bin/bash\\necho uv 1.2.3\\n" >"$2/bin/uv"; chmod +x "$2/bin/uv"'
        )
        outcome = install if succeeds else "echo broken >&2; exit 1"
        return executable(path, f'[ "$1" = --version ] && exit; echo "$*" >>{log}; {outcome}')

    def test_the_one_on_path_is_used(self, project):
        assert self.find(project).stdout == f"{project.tools / 'uv'}\n"

    def test_a_shim_that_does_not_run_is_not(self, bare):
        executable(bare.tools / "uv", "exit 127")
        self.pip(bare.tools / "pip3", bare.log)
        assert self.find(bare).stdout == f"{bare.root / '.venv/uv/bin/uv'}\n"

    def test_pip_installs_the_hashed_pin_once(self, bare):
        self.pip(bare.tools / "pip3", bare.log)
        for _ in range(2):
            found = self.find(bare)
            assert found.stdout == f"{bare.root / '.venv/uv/bin/uv'}\n", found.stderr
        (call,) = bare.log.read_text().splitlines()
        assert "--require-hashes" in call and call.endswith("--requirement locks/uv.txt")

    def test_virtualenv_serves_where_no_pip_does(self, bare, tmp_path):
        inner = self.pip(tmp_path / "inner", bare.log)
        # The python that virtualenv makes runs pip as `python -m pip`.
        (python := tmp_path / "inner-python").write_text(f'#!/bin/bash\nshift 2; exec {inner} "$@"\n')
        python.chmod(0o755)
        executable(bare.tools / "virtualenv", f'mkdir -p "$3/bin"; cp {python} "$3/bin/python"')
        found = self.find(bare)
        assert found.stdout == f"{bare.root / '.venv/uv/bin/uv'}\n", found.stderr
        assert not (bare.root / ".venv/uv/scratch").exists()

    def test_no_installer_at_all_says_what_to_install(self, bare):
        found = self.find(bare)
        assert (found.returncode, found.stdout) == (1, "")
        assert "apt-get install python3-venv" in found.stderr

    def test_an_installer_that_fails_is_quoted(self, bare):
        self.pip(bare.tools / "pip3", bare.log, succeeds=False)
        found = self.find(bare)
        assert found.returncode == 1
        assert "broken" in found.stderr


class TestLocks:
    @pytest.mark.parametrize("name", ["build", "dev", "runtime", "uv"])
    def test_every_pin_has_a_hash_and_no_address(self, name):
        text = (ROOT / f"locks/{name}.txt").read_text()
        pins = [entry for entry in text.replace("\\\n", " ").splitlines() if not entry.startswith("#")]
        assert pins
        assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []
        assert "://" not in text and "--index-url" not in text

    def test_dev_holds_everything_of_runtime_in_the_same_versions(self):
        assert self.pins("runtime") <= self.pins("dev")

    def test_build_tools_are_those_of_the_environment(self):
        assert self.pins("build") <= self.pins("dev")

    @staticmethod
    def pins(name: str) -> set[str]:
        lines = (ROOT / f"locks/{name}.txt").read_text().splitlines()
        return {line.rstrip("\\ ") for line in lines if not line.startswith(("#", " "))}


class TestMakefile:
    def test_help_is_the_default_and_names_every_target(self):
        text = (ROOT / "Makefile").read_text()
        (phony,) = (line for line in text.splitlines() if line.startswith(".PHONY:"))
        shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert {line.split()[1] for line in shown.splitlines()} == set(phony.split()[1:])

    @pytest.mark.parametrize(
        "target", ["run", "test", "test-fast", "lint", "bench", "bench-kmeans", "soak", "lock"]
    )
    def test_every_verb_sets_up_first(self, target):
        plan = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
        assert plan.stdout.splitlines()[0] == "scripts/setup"
