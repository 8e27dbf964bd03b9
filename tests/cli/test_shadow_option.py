"""`--shadow`, wherever a guard runs for others: what would have been decided stands in the record."""

from importlib.resources import files

import pytest
from click.testing import CliRunner
from tests.end_to_end.serving import service
from tests.end_to_end.test_memory_survives_a_kill import ask, settle

from sekisho.cli.main import main
from sekisho.guard.policy import SHADOWS_MAX
from sekisho.kernel.clock import SystemClock
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import open_store
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.history.sealing import Sealing

DEFAULT = files("sekisho.guard").joinpath("default_policy.toml").read_text("utf-8")
STRICT = """
id = "ours"
revision = 5
[default]
on_outage = "closed"
[default.rules]
guesses_on_one_account = { action = "deny", limit = 1 }
"""
COMMANDS = [
    ("serve", "guard", "--on-outage", "closed"),
    ("serve", "lender", "--on-outage", "closed"),
    ("up",),
]


def written(folder, name, text):
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("policy", "shadows", "complaint"),
    [
        pytest.param("", ['id = "x"\n'], "missing required field `revision`", id="no policy"),
        pytest.param("", [DEFAULT], "there are two policies default@1", id="the one that comes along"),
        pytest.param(STRICT, [STRICT], "there are two policies ours@5", id="the one in force"),
        pytest.param("", [STRICT, STRICT], "there are two policies ours@5", id="twice the same"),
        pytest.param(
            "",
            [STRICT.replace("5", str(revision)) for revision in range(SHADOWS_MAX + 1)],
            f"there are {SHADOWS_MAX + 1} shadows; at most {SHADOWS_MAX}",
            id="too many",
        ),
    ],
)
def test_a_shadow_that_can_not_run_is_refused_before_anything_is_opened(
    tmp_path, command, policy, shadows, complaint
):
    no_port = "70000"  # whoever comes as far as to listen fails for another reason
    arguments = [*command, "--data", str(tmp_path / "data"), "--port", no_port]
    if policy:
        arguments += ["--policy", written(tmp_path, "policy.toml", policy)]
    for number, text in enumerate(shadows):
        arguments += ["--shadow", written(tmp_path, f"shadow{number}.toml", text)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.replace("│", " ").split())
    assert "--shadow" in result.output
    assert not (tmp_path / "data").exists()


@pytest.mark.server
def test_what_the_shadows_would_have_done_is_kept_with_each_attempt(tmp_path):
    """In the store when it is answered, and in history after; it changes no answer."""
    shadows = [written(tmp_path, "a.toml", STRICT), written(tmp_path, "b.toml", STRICT.replace("5", "6"))]
    data = tmp_path / "data"
    with service(data, "--shadow", shadows[0], "--shadow", shadows[1]) as running, running.client() as client:
        for _ in range(3):
            settle(client, ask(client, "aiko"), "wrong_secret")
        assert running.process.stdout is not None
        assert running.process.stdout.readline() == "default@1 decides; in its shadow: ours@5, ours@6\n"
    store = open_store(f"sqlite:///{data / 'sekisho.db'}")
    try:
        kept = [one.decision for one in reversed(AttemptStore(store, clock=SystemClock()).recent(9))]
        history = HistoryFolder(data / "history")
        Sealing(store, history, clock=SystemClock()).step()
    finally:
        store.close()
    said = ["allow", "deny", "deny"]
    assert [(one.action, one.policy) for one in kept] == [("allow", "default")] * 3
    assert [one.shadow for one in kept] == [{"ours@5": each, "ours@6": each} for each in said]
    sealed = history.attempts_between(0, 1 << 62)
    assert [dict(one) for one in sealed["shadow"].to_pylist()] == [one.shadow for one in kept]
