import pytest

from npvpg.runs.words import nearest


@pytest.mark.parametrize(
    ("word", "words", "offer"),
    [
        ("gama", ["lam", "gamma"], " (did you mean gamma?)"),
        ("cartpole", ["CartPole-v1", "CartPole-v0"], " (did you mean CartPole-v1 or CartPole-v0?)"),
        ("--lr", ["--n", "--policy-lr"], " (did you mean --policy-lr?)"),
        ("zzz", ["gamma"], ""),
        ("", ["gamma"], ""),
        ("gamma", [], ""),
    ],
)
def test_what_resembles_a_word_is_offered(word: str, words: list[str], offer: str) -> None:
    assert nearest(word, words) == offer
