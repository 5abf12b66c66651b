"""What was worked out is remembered, in bounds, and how often that helped can be read."""

from nephoran.intent.memory import Memory


def test_what_is_kept_is_recalled_and_counted() -> None:
    """Every question is a hit or a miss."""
    memory: Memory[str, int] = Memory(2)
    assert memory.recall("a") is None
    memory.keep("a", 1)
    assert memory.recall("a") == 1
    assert (memory.hits, memory.misses, len(memory)) == (1, 1, 1)


def test_the_longest_unused_is_forgotten() -> None:
    """Asking counts as use, keeping again does too."""
    memory: Memory[str, int] = Memory(2)
    memory.keep("a", 1)
    memory.keep("b", 2)
    memory.recall("a")
    memory.keep("c", 3)
    assert [memory.recall(key) for key in "abc"] == [1, None, 3]
    memory.keep("a", 4)
    memory.keep("d", 5)
    assert [memory.recall(key) for key in "acd"] == [4, None, 5]
