import signal
import sys
import threading

import pytest

from npvpg.jobs.interrupt import Interrupted, Interrupts, ignored


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_once(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Interrupts(), pytest.raises(Interrupted, match=f"stopped by {number.name}") as stop:
        signal.raise_signal(number)
    assert stop.value.signum == number
    assert signal.getsignal(number) == before


def test_a_signal_that_is_held_waits_for_the_end_of_the_block() -> None:
    done: list[str] = []

    def write() -> None:
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            done.append("written")
        done.append("never")

    with Interrupts() as interrupts, pytest.raises(Interrupted):
        write()
    assert done == ["written"]


def test_only_the_first_signal_counts() -> None:
    with Interrupts():
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)  # saving goes on


def test_a_signal_while_the_run_is_saved_is_answered_afterwards() -> None:
    with Interrupts() as interrupts:
        interrupts.ignore()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            interrupts.listen()


def test_a_signal_that_python_swallows_is_raised_again() -> None:
    class Finaliser:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    class Other:
        def __del__(self) -> None:
            raise ZeroDivisionError

    hook = sys.unraisablehook
    seen: list[type[BaseException] | None] = []
    sys.unraisablehook = lambda what: seen.append(what.exc_type)
    try:
        with Interrupts() as interrupts:
            Finaliser()
            Other()
            with pytest.raises(Interrupted), interrupts.held():
                pass
    finally:
        sys.unraisablehook = hook
    assert seen == [ZeroDivisionError]  # of the signal not a word


def test_an_error_passes_through_a_held_block() -> None:
    with (
        Interrupts() as interrupts,
        pytest.raises(ZeroDivisionError),
        interrupts.held(),
    ):
        raise ZeroDivisionError


def test_ctrl_c_is_ignored_while_sub_environments_start() -> None:
    before = signal.getsignal(signal.SIGINT)
    with ignored():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before


def test_a_thread_may_train_though_it_hears_no_signals() -> None:
    entered = []

    def enter() -> None:
        with Interrupts(), ignored():
            entered.append(True)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [True]
