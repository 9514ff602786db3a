"""What the certain edges of a polygraph force, until nothing more follows: unit propagation on bitsets.

Two rules for a key, and one more where start and commit are apart. Whoever comes after another writer and still read
the version that a second one wrote shows that the other wrote first. Who read a version comes before whatever is
written after it. Writers of one key do not overlap. It decides nothing that is open; a contradiction
is an edge that closes a cycle.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from checker.order import Order, Stamped, bits
from checker.polygraph import Polygraph
from checker.transaction import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """An edge that closes a cycle with the edges of `Saturation.order`, or None when those have a cycle themselves."""

    edge: Stamped | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A key that a transaction writes: bitsets of the commits of its writers and the starts of its readers (those of
    the transaction's own version aside), and the transaction's own readers."""

    key: Key
    writers: int
    readers: int
    own: tuple[int, ...]


class Saturation:
    """A polygraph with all that follows so far: `order` has the edges, `held` what each transaction writes."""

    def __init__(self, graph: Polygraph) -> None:
        self.graph, self.order = graph, Order(graph.size)
        self.stamp = 0
        self.held = _held(graph)
        self.concerns = [0] * graph.size
        for place, keys in enumerate(self.held):
            for one in keys:
                self.concerns[place + graph.lag] |= one.writers | one.readers
                self.concerns[place] |= one.writers | (0 if graph.lag else one.readers)
        seen = set()
        for first, then, why in graph.arrows:
            if (first, then) not in seen:
                seen.add((first, then))
                self.order.note((first, then, why, 0))

    def saturate(self) -> Contradiction | None:
        """Everything that follows from the certain edges, in rounds over all keys, then edge by edge."""
        while True:
            if not self.order.close():
                return Contradiction(edge=None)
            self.stamp += 1
            found = self._round()
            if len(found) * 8 < len(self.held):
                return self.settle(found)
            for edge in found:
                self.order.note(edge)

    def settle(self, edges: Iterable[Stamped]) -> Contradiction | None:
        """Brings the edges into force, and all that follows from them, edge by edge."""
        order, lag, held = self.order, self.graph.lag, self.held
        waiting = list(edges)
        while waiting:
            edge = waiting.pop()
            changed = order.add(edge)
            if changed is None:
                return Contradiction(edge=edge)
            self.stamp += 1
            for node, news in changed:
                if news & self.concerns[node]:
                    follows = self._commit_reaches if node >= lag else self._start_reaches
                    for one in held[node - lag if node >= lag else node]:
                        waiting += follows(node, one, news)
        return None

    def _commit_reaches(self, node: int, one: Held, news: int) -> Iterable[Stamped]:
        """What follows when a writer's commit comes before other writers and before readers of other versions."""
        graph, after = self.graph, self.order.after
        lag, stamp = graph.lag, self.stamp
        found = []
        then = news & one.writers
        if then and graph.skips:
            for reader in one.own:
                missing = then & ~after[reader] & ~(1 << reader + lag)
                found += [(reader, other, ("rw", one.key, node - lag), stamp) for other in bits(missing)]
        for reader in bits(news & one.readers):
            for writer in graph.source[reader, one.key]:
                if writer + lag != node and not after[node] >> writer & 1:
                    found.append((node, writer, ("ww", one.key, reader), stamp))
        return found

    def _start_reaches(self, node: int, one: Held, news: int) -> Iterable[Stamped]:
        """What follows when a writer's start comes before another's commit: the whole of it does."""
        lag, mine = self.graph.lag, node + self.graph.lag
        missing = news & one.writers & ~(1 << mine)
        return [
            (mine, other - lag, ("apart", one.key), self.stamp)
            for other in bits(missing)
            if not self.order.after[mine] >> other - lag & 1
        ]

    def _round(self) -> list[Stamped]:
        """All edges that follow at once from what is known, most implied ones left out."""
        graph, order = self.graph, self.order
        lag, after, before, stamp = graph.lag, order.after, order.before, self.stamp
        found = []
        for place, keys in enumerate(self.held):
            mine = place + lag
            for one in keys:
                later = after[mine] & one.writers
                if later and graph.skips:
                    for reader in one.own:
                        missing = later & ~after[reader] & ~(1 << reader + lag)
                        while missing:
                            low = missing & -missing
                            other = low.bit_length() - 1
                            missing &= ~(after[other] | low)
                            found.append((reader, other, ("rw", one.key, place), stamp))
                must = 0
                for reader in one.own:
                    must |= before[reader]
                for other in bits(must & one.writers & ~before[place] & ~(1 << mine)):
                    reader = next(reader for reader in one.own if before[reader] >> other & 1)
                    found.append((other, place, ("ww", one.key, reader), stamp))
                if lag:
                    found += self._start_reaches(place, one, after[place])
        return found


def _held(graph: Polygraph) -> list[list[Held]]:
    """For each transaction the keys that it writes."""
    lag = graph.lag
    held: list[list[Held]] = [[] for _ in graph.names]
    for key, writers in graph.writers.items():
        commits = sum(1 << writer + lag for writer in writers)
        own = {writer: graph.readers.get((writer, key), ()) for writer in writers}
        masks = {writer: sum(1 << reader for reader in found) for writer, found in own.items()}
        starts = sum(masks.values())
        for writer in writers:
            held[writer].append(Held(key=key, writers=commits, readers=starts & ~masks[writer], own=own[writer]))
    return held
