"""Going on: more steps for a finished run, the parameters of another, evaluations on the way."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npvpg
from npvpg.command.main import main
from npvpg.jobs import run
from npvpg.jobs.interrupt import Interrupted
from npvpg.runs import checkpoint, config_file
from npvpg.runs.config import Config
from npvpg.runs.directory import RunDirectory
from npvpg.runs.selection import Selection, read_evaluations
from npvpg.show.screen import Screen

SHORT = Config(
    "CartPole-v1",
    steps=256,
    envs=2,
    horizon=16,
    hidden=(8,),
    lr_decay="constant",
    normalize_rewards=True,
    evaluation_episodes=0,
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trained(name: str, **changes: Any) -> RunDirectory:
    directory = RunDirectory(Path(name))
    run.train(dataclasses.replace(SHORT, **changes), directory)
    return directory


def outcome(directory: RunDirectory) -> dict[str, bytes]:
    """Give all that decides how a run goes on, and its logs."""
    arrays, _ = checkpoint.load(directory.checkpoint)
    files = {file.name: file.read_bytes() for file in (directory.metrics, directory.episodes)}
    return {name: array.tobytes() for name, array in arrays.items()} | files


class TestMoreSteps:
    @pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1"])
    def test_without_a_schedule_it_is_the_run_with_that_budget(
        self, env: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        whole = trained("whole", env=env, steps=512)
        part = trained("part", env=env)
        assert outcome(part) != outcome(whole)
        assert main(["train", "--resume", "part", "--steps", "512"]) == 0
        assert outcome(part) == outcome(whole)
        out = capsys.readouterr().out
        assert "goes on     from 256 to 512 steps\n" in out
        assert "goes on     no setting has a schedule: as if it had had these steps" in out
        assert part.read_config() == whole.read_config()
        assert json.loads(part.summary.read_text())["steps"] == 512
        assert main(["train", "--resume", "part"]) == 0  # nothing is left to do
        assert outcome(part) == outcome(whole)

    def test_schedules_follow_the_new_end_and_it_is_said(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        part = trained("part", lr_decay="linear", greedy=0.5)
        assert main(["train", "--resume", "part", "--steps", "1024"]) == 0
        out = capsys.readouterr().out
        assert "step sizes rise to 75% of their first values and fall to zero at step 1,024" in out
        assert "the mode is taken besides with probability 0.125, rising to the new end" in out
        rows = [row.split(",") for row in part.metrics.read_text().splitlines()]
        lr = [float(row[rows[0].index("policy_lr")]) for row in rows[1:]]
        assert lr[:9] == pytest.approx([SHORT.policy_lr * (1 - k / 8) for k in range(8)] + [lr[8]])
        assert lr[8:] == pytest.approx([SHORT.policy_lr * (1 - k / 32) for k in range(8, 32)])

    def test_stopped_as_it_goes_on_it_goes_on(self) -> None:
        whole, part = trained("whole", steps=512), trained("part")
        longer = dataclasses.replace(SHORT, steps=512)
        run.train(longer, part, resume=True, until=300)
        assert outcome(part) != outcome(whole)
        assert main(["train", "--resume", "part"]) == 0
        assert outcome(part) == outcome(whole)

    def test_a_solved_run_goes_on_where_that_is_asked_for(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("easy.py").write_text(
            "import gymnasium\n"
            "gymnasium.register('Easy-v1', 'gymnasium.envs.classic_control:CartPoleEnv',\n"
            "                   reward_threshold=10, max_episode_steps=15)\n"
        )
        part = trained("part", env=f"{Path('easy.py').absolute()}:Easy-v1", steps=4000)
        steps = json.loads(part.summary.read_text())["steps"]
        assert steps < 4000
        assert main(["train", "--resume", "part", "--steps", "5000"]) == 0
        assert json.loads(part.summary.read_text())["steps"] == steps
        assert "--no-stop-when-solved lets it go on" in capsys.readouterr().out
        assert main(["train", "--resume", "part", "--steps", "5000", "--no-stop-when-solved"]) == 0
        assert json.loads(part.summary.read_text())["steps"] >= 5000

    def test_fewer_steps_and_other_settings_are_refused(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        part = trained("part")
        before = outcome(part)
        assert main(["train", "--resume", "part", "--steps", "128"]) == 2
        assert "but for more --steps: steps (128, was 256)" in capsys.readouterr().err
        assert main(["train", "--resume", "part", "--steps", "512", "--gamma", "0.5"]) == 2
        assert "more --steps: gamma (0.5, was 0.99)" in capsys.readouterr().err
        assert outcome(part) == before
        assert part.finished

    @pytest.mark.slow
    def test_the_runs_of_several_seeds_go_on_together(self) -> None:
        Path("c.toml").write_text(config_file.dumps(SHORT))
        flags = "train --config c.toml --jobs 2 --seeds 0-1"
        assert main(f"{flags} --steps 512 --out whole".split()) == 0
        assert main(f"{flags} --out part".split()) == 0
        assert main(["train", "--resume", "part", "--steps", "512", "--jobs", "1"]) == 0
        for name in ("seed-0", "seed-1"):
            one, two = (RunDirectory(Path(group, name)) for group in ("whole", "part"))
            assert outcome(one) == outcome(two)
        assert Path("part/seeds.toml").read_text() == Path("whole/seeds.toml").read_text()


class TestInitFrom:
    def test_it_begins_with_parameters_and_normaliser_and_nothing_else(self) -> None:
        source = trained("source", steps=300)
        theirs, _ = checkpoint.load(source.checkpoint)
        directory = RunDirectory(Path("run"))

        class Stop(Screen):
            def header(self, *_: object) -> None:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run.train(
                dataclasses.replace(SHORT, init_from=str(source.path.absolute()), seed=7),
                directory,
                screen=Stop(quiet=True),
            )
        ours, _ = checkpoint.load(directory.checkpoint)
        fresh, _ = checkpoint.load(trained("fresh", steps=1, seed=7).checkpoint)
        taken = [name for name in ours if "moments" in name or name.endswith((".theta", ".phi"))]
        assert len(taken) == 8
        for name in taken:
            np.testing.assert_array_equal(ours[name], theirs[name], strict=True)
        assert ours["steps"] == ours["iteration"] == 0
        memory = [name for name in ours if "optimizer" in name]
        assert memory
        assert not any(ours[name].any() for name in memory)
        assert (fresh["learner.theta"] != theirs["learner.theta"]).any()

    def test_stopped_before_its_first_update_it_needs_the_other_no_more(self) -> None:
        source = trained("source")
        flags = "train --config source/config.toml --init-from source --seed 3 --out"
        assert main(f"{flags} whole".split()) == 0
        config = RunDirectory(Path("whole")).read_config()
        assert config.init_from == str(source.path.absolute())

        class Stop(Screen):
            def header(self, *_: object) -> None:
                raise KeyboardInterrupt

        again = RunDirectory(Path("again"))
        with pytest.raises(KeyboardInterrupt):
            run.train(config, again, screen=Stop(quiet=True))
        source.path.rename("elsewhere")
        run.train(config, again, resume=True)
        assert outcome(again) == outcome(RunDirectory(Path("whole")))
        assert again.read_config() == config

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("CartPole-v1 --hidden 4", "hidden 8 there, 4 here; 58 parameters of the policy there"),
            ("Acrobot-v1", "4 numbers in an observation there, 6 here"),
            ("CartPole-v1 --no-normalize-obs", "normalize_obs True there, False here"),
            ("CartPole-v1 --activation relu", "activation tanh there, relu here"),
            ("CartPole-v1 --estimator reward-to-go", "49 parameters of the value there, 0 here"),
        ],
    )
    def test_what_does_not_fit_is_named_in_one_line(
        self, line: str, message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        trained("source")
        flags = f"train {line} --hidden 8 --init-from source --out run"
        if "--hidden 4" in line:
            flags = flags.replace("--hidden 8 ", "")
        if "obs" not in line:
            flags += " --normalize-obs"
        assert main(flags.split()) == 2
        err = capsys.readouterr().err
        assert "does not fit: " in err
        assert message in err
        assert err.count("\n") == 1
        assert not Path("run").exists()

    def test_a_group_is_no_run(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("g").mkdir()
        Path("g/seeds.toml").touch()
        assert main(["train", "CartPole-v1", "--init-from", "g", "--out", "run"]) == 2
        assert "init_from must be one run, got those of several seeds" in capsys.readouterr().err


EVALUATED: dict[str, Any] = {
    "steps": 2000,
    "eval_every": 400,
    "evaluation_episodes": 4,
    "policy_lr": 0.02,
}


class TestEvaluations:
    @pytest.mark.slow
    def test_training_is_the_same_with_and_without(self) -> None:
        plain = trained("plain", steps=2000, policy_lr=0.02)
        expected = outcome(plain)
        for backend in ("compiled", "gymnasium"):
            watched = trained(backend, **EVALUATED, backend=backend)
            if backend == "gymnasium":  # what its environments are no checkpoint can hold
                expected = {k: v for k, v in expected.items() if not k.startswith("position.env.")}
            assert outcome(watched) == expected
            assert len(read_evaluations(watched.evaluations)["steps"]) == 5
        assert not plain.evaluations.exists()

    def test_the_best_policy_is_kept_and_can_act(self, capsys: pytest.CaptureFixture[str]) -> None:
        directory = trained("run", **EVALUATED)
        rows = read_evaluations(directory.evaluations)
        assert [int(step) // 400 for step in rows["steps"]] == [1, 2, 3, 4, 5]
        best = int(rows["steps"][np.argmax(rows["sampled"])])
        arrays, _ = checkpoint.load(directory.best)
        assert arrays["steps"] == best
        summary = json.loads(directory.summary.read_text())
        assert summary["best"]["steps"] == best
        at_best = npvpg.evaluate("run", episodes=4, best=True)
        assert at_best == summary["best"]["evaluation"]
        assert npvpg.evaluate("run", episodes=4) == summary["evaluation"]
        np.testing.assert_array_equal(
            npvpg.load("run", best=True).actor.theta, arrays["learner.theta"]
        )
        assert main(["evaluate", "run", "--best", "--episodes", "4", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == at_best

    def test_it_is_chosen_by_other_episodes_than_those_reported(self) -> None:
        directory = trained("run", **EVALUATED)
        rows = read_evaluations(directory.evaluations)
        last = json.loads(directory.summary.read_text())["evaluation"]
        assert rows["steps"][-1] == 2016  # the last policy is evaluated by both
        assert rows["sampled"][-1] != last["sampled"]["mean"]

    def test_killed_between_any_two_steps_it_ends_the_same(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = trained("whole", **EVALUATED)
        config = dataclasses.replace(SHORT, **EVALUATED, checkpoint_every=10)
        directory = RunDirectory(Path("run"))
        evaluate = Selection.evaluate
        left = [1]

        def stop(self: Selection, now: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Interrupted(2)
            return evaluate(self, now)

        monkeypatch.setattr(Selection, "evaluate", stop)
        resume = False
        for pieces in (1, 0, 2):
            left[0] = pieces
            with pytest.raises(Interrupted):
                run.train(config, directory, resume=resume)
            resume = True
        left[0] = 99
        run.train(config, directory, resume=True)
        assert directory.evaluations.read_bytes() == whole.evaluations.read_bytes()
        one, two = (checkpoint.load(each.best)[0] for each in (directory, whole))
        for name, array in one.items():
            np.testing.assert_array_equal(array, two[name])

    def test_without_evaluations_there_is_no_best(self, capsys: pytest.CaptureFixture[str]) -> None:
        trained("run")
        assert main(["evaluate", "run", "--best"]) == 2
        assert (
            "does not exist: the best policy is kept with --eval-every" in capsys.readouterr().err
        )
