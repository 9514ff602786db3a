"""A strict order that grows edge by edge, closed under transitivity at each step, and that can go back.

Knows nodes by number and a reason for each edge, nothing of transactions. After and before are
bitsets as integers, so one look tells whether a node comes before another; an edge that would close
a cycle is refused. Edges are kept in the order in which they came: what was known when one followed
is what stands before it.
"""

from collections.abc import Iterator

Stamped = tuple[int, int, tuple, int]
"""An edge: from, to, why, and its stamp: it followed from edges of smaller stamps alone."""


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, ascending."""
    if mask.bit_count() > 4:
        text = bin(mask)[:1:-1]
        place = text.find("1")
        while place >= 0:
            yield place
            place = text.find("1", place + 1)
        return
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Order:
    """The edges, and for each node the bitsets `after` it and `before` it."""

    __slots__ = ("after", "before", "edges", "next", "thin", "trail")

    def __init__(self, size: int) -> None:
        self.after, self.before = [0] * size, [0] * size
        self.edges: list[Stamped] = []
        self.next: list[list[int]] = [[] for _ in range(size)]
        self.thin: list[list[int]] = [[] for _ in range(size)]
        self.trail: list[tuple[list[int], int, int]] = []

    def note(self, edge: Stamped) -> None:
        """One more edge, which `close` or `add` brings into force."""
        self.next[edge[0]].append(len(self.edges))
        self.thin[edge[0]].append(edge[1])
        self.edges.append(edge)

    def close(self) -> bool:
        """Computes after and before anew from all edges; False when they have a cycle. Costs edges times nodes / 64."""
        order = self.sorted()
        if order is None:
            return False
        size, thin = len(self.next), self.thin
        after, before = [0] * size, [0] * size
        place = [0] * size
        for number, node in enumerate(order):
            place[node] = number
        for node in reversed(order):
            found, needed = 0, []
            for then in sorted(thin[node], key=place.__getitem__):
                if not found >> then & 1:
                    found |= after[then] | 1 << then
                    needed.append(then)
            after[node], thin[node] = found, needed
        for node in order:
            reached = before[node] | 1 << node
            for then in thin[node]:
                before[then] |= reached
        self.after, self.before = after, before
        return True

    def sorted(self) -> list[int] | None:
        """All nodes in an order that the edges allow, or None when they have a cycle."""
        missing, thin = [0] * len(self.next), self.thin
        for targets in thin:
            for then in targets:
                missing[then] += 1
        found = [node for node, count in enumerate(missing) if not count]
        for node in found:
            for then in thin[node]:
                missing[then] -= 1
                if not missing[then]:
                    found.append(then)
        return found if len(found) == len(missing) else None

    def add(self, edge: Stamped) -> list[tuple[int, int]] | None:
        """Brings one edge into force: each node that reaches more, with what it reaches newly; None for a cycle."""
        first, then = edge[0], edge[1]
        after, before = self.after, self.before
        if first == then or after[then] >> first & 1:
            return None
        if after[first] >> then & 1:
            return []
        self.note(edge)
        late, early = after[then] | 1 << then, before[first] | 1 << first
        later = late & ~after[first]
        changed = []
        for node in bits(early & ~before[then]):
            was = after[node]
            self.trail.append((after, node, was))
            after[node] = now = was | late
            changed.append((node, now ^ was))
        for node in bits(later):
            was = before[node]
            self.trail.append((before, node, was))
            before[node] = was | early
        return changed

    def saved(self) -> tuple[list[int], list[int], int]:
        """All that is known now, to come back to with `restore` however much follows."""
        return list(self.after), list(self.before), len(self.edges)

    def restore(self, saved: tuple[list[int], list[int], int]) -> None:
        """Goes back to what was saved; earlier marks are lost."""
        self.after[:], self.before[:] = saved[0], saved[1]
        self.trail.clear()
        self.back((0, saved[2]))

    def mark(self) -> tuple[int, int]:
        """A place to go back to."""
        return len(self.trail), len(self.edges)

    def back(self, mark: tuple[int, int]) -> None:
        """Takes back everything since the mark."""
        trail, edges = mark
        while len(self.trail) > trail:
            where, node, was = self.trail.pop()
            where[node] = was
        while len(self.edges) > edges:
            first = self.edges.pop()[0]
            self.next[first].pop()
            self.thin[first].pop()
