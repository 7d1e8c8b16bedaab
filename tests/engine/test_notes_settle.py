"""A file is ready when it has been still for a second, on a clock that the test holds."""

from __future__ import annotations

from engine.notes.settle import Settling


class World:
    """A clock and some files."""

    def __init__(self) -> None:
        self.now = 100.0
        self.files: dict[str, int] = {}
        self.settling = Settling(self.files.get, lambda: self.now, still=1.0)

    def passes(self, seconds: float) -> list[str]:
        self.now += seconds
        return self.settling.take_ready()


def test_ready_after_a_second_and_only_once() -> None:
    world = World()
    world.files["a"] = 1
    world.settling.mark("a")
    assert world.passes(0.9) == []
    assert world.passes(0.1) == ["a"]
    assert world.passes(5) == []


def test_a_change_starts_the_second_anew_even_without_an_event() -> None:
    world = World()
    world.files["a"] = 1
    world.settling.mark("a")
    world.files["a"] = 2
    assert world.passes(0.9) == []  # notices the change
    assert world.passes(0.9) == []
    assert world.passes(0.1) == ["a"]


def test_events_alone_do_not_start_it_anew() -> None:
    world = World()
    world.files["a"] = 1
    for _ in range(4):
        world.settling.mark("a")
        world.now += 0.25
    assert world.settling.take_ready() == ["a"]


def test_a_file_that_is_written_all_the_time_is_never_ready() -> None:
    world = World()
    world.settling.mark("a")
    for tick in range(100):
        world.files["a"] = tick
        assert world.passes(0.5) == []


def test_an_atomic_save_leaves_no_moment_of_absence() -> None:
    world = World()
    world.files["a"] = 1
    world.settling.mark("a")
    del world.files["a"]
    assert world.passes(0.6) == []
    world.files["a"] = 2
    assert world.passes(0.6) == []
    assert world.passes(1.0) == ["a"]


def test_absence_comes_to_rest_as_well() -> None:
    world = World()
    world.settling.mark("gone")
    assert world.passes(1.0) == ["gone"]


def test_is_still_begins_to_follow() -> None:
    world = World()
    world.files["a"] = 1
    assert not world.settling.is_still("a")
    world.now += 1
    assert world.settling.is_still("a")
    world.settling.done("a")
    assert not world.settling.is_still("a")


def test_wait_tells_when_to_look_again() -> None:
    world = World()
    assert world.settling.wait() is None
    world.settling.mark("a")
    world.now += 0.25
    world.settling.mark("b")
    assert world.settling.wait() == 0.75
    assert world.passes(0.75) == ["a"]
    assert world.settling.wait() == 0.25
    world.now += 9
    assert world.settling.wait() == 0.0
