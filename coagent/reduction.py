"""Which choices may be taken at once and alone, because nobody but their own agent can tell when they are taken.

Let t be such a choice in a state s, and take any way on from s. t stays open until it is taken, and an ending
leaves nothing open, so the way takes t at some point (a way that never ends and never takes t is unfair). Taken first
instead, t leads by the same other choices to the same later states: nobody else looks at what t changes. What t
makes possible for its own agent (its next inference begins) may then meet a notice that, before, came first; the
gate holds that inference, and the hold is private again and ends where the notice would have. So every ending, and
every fair way round for ever, is kept, although states in which t waits are not visited (persistent sets of one
choice, Godefroid 1996; prioritised confluence, Blom and van de Pol, CAV 2002). No choices of this kind follow each
other for ever, since each needs a call or a notice that is none.

Which choices are private is each protocol's to say (`private`), in its own class: a variant that bends a rule does not
inherit it. It is held to what it says: at a sample of the states, both orders are tried.
"""

from dataclasses import dataclass, field

from coagent import crank
from coagent.actor import Ask, Report, TakeBack
from coagent.canonical import Canon, Key
from coagent.event import Finished, Invoked, Retracted
from coagent.workload import Setting
from coagent.world import Choice, World

Move = tuple[Choice, int | None]
"""A choice, and its effect's ticket."""

SAMPLE = 32
"""One in so many states with a private choice is tried both ways round, with every other choice there."""

LONGEST = 10_000
"""Private choices in a row after which something is wrong."""


class Unsound(Exception):
    """A reduction that does not hold here; the message says in what. The search is to be made again without it."""


@dataclass(slots=True, kw_only=True)
class Reduction:
    """The private choices of one search; `sample` 1 tries every state, 0 none; `tried` counts those tried.

    No choice of a `mortal` agent is private: it may be its last, and what it did is then taken back.
    """

    canon: Canon
    private: object = None
    mortal: frozenset[str] = frozenset()
    sample: int = SAMPLE
    tried: int = 0
    _met: int = field(default=0)

    def rested(self, world: World, moves: list[Move]) -> tuple[World, list[Move], tuple[int, ...]]:
        """The world when every private choice has been taken, what may happen there, and the indexes taken."""
        taken: list[int] = []
        while self.private and (at := self._private(world, moves)) is not None:
            self._met += 1
            if self.sample and self._met % self.sample == 0:
                self._try(world, moves, at)
            world = crank.taken(world, *_at(moves[at]))
            moves = world.moves()
            taken.append(at)
            if len(taken) > LONGEST:
                raise Unsound("steps that are said to concern one agent only follow each other without end")
        return world, moves, tuple(taken)

    def _private(self, world: World, moves: list[Move]) -> int | None:
        # Whoever is still to be launched is not known to the protocol, which speaks of those who are there.
        late = any(choice.act == "launch" for choice, _ in moves)
        for at, (choice, flight) in enumerate(moves):
            if (late and flight is None) or (choice.name if flight is None else _owner(choice)) in self.mortal:
                continue
            what = _first_event(world, choice.name) if flight is None else world.flights.of(flight)
            said = self.private(world.run, what)
            if said is None:
                raise Unsound("the protocol withdrew what it says of private steps: not every call here is versioned")
            if said:
                return at
        return None

    def _try(self, world: World, moves: list[Move], at: int) -> None:
        """Take it before and after every other choice: both must come to the same. Raises Unsound."""
        self.tried += 1
        first = crank.taken(world, *_at(moves[at]))
        for move in moves[:at] + moves[at + 1 :]:
            left = _after(first, move[0])
            right = _after(crank.taken(world, *_at(move)), moves[at][0])
            if left is None or right is None or self._end(left) != self._end(right):
                one, other = (" ".join(choice) for choice in (moves[at][0], move[0]))
                raise Unsound(f"{one} was said to concern its own agent only, and its order with {other} matters")

    def _end(self, world: World) -> Key:
        """The key when nothing private is left, whatever the order."""
        moves = world.moves()
        for _ in range(LONGEST):
            at = self._private(world, moves)
            if at is None:
                break
            world = crank.taken(world, *_at(moves[at]))
            moves = world.moves()
        return self.canon.key(world)


def mortal(setting: Setting) -> frozenset[str]:
    """The agents that will die."""
    return frozenset(one.name for one in setting.workload.agents if one.dies_after is not None)


def own_private(setting: Setting) -> object:
    """What the protocol says of private choices, if its own class says it and answers cannot get lost; or None."""
    said = getattr(setting.protocol, "private", None)
    who = getattr(said, "__self__", None)
    own = who is not None and vars(type(who)).get("private") is said.__func__
    return said if own else None


def _first_event(world: World, name: str) -> Invoked | Retracted | Finished:
    """What the engine will hear first when this agent's inference ends."""
    match world.actors[name].action:
        case Ask(drops=(first, *_)) | TakeBack(drops=(first, *_)) | Report(drops=(first, *_)):
            return Retracted(agent=name, op=first, last=False)
        case Ask(call=call, declaration=declaration, before=before, replaces=replaces):
            return Invoked(agent=name, call=call, declaration=declaration, before=before, replaces=replaces)
        case TakeBack(op=op):
            return Retracted(agent=name, op=op)
        case Report(report=report):
            return Finished(agent=name, report=report)


def _owner(choice: Choice) -> str:
    return choice.name.rpartition(".")[0]


def _at(move: Move) -> tuple[Choice, float, int | None]:
    return move[0], 0.0, move[1]


def _after(world: World, choice: Choice) -> World | None:
    move = next((move for move in world.moves() if move[0] == choice), None)
    return None if move is None else crank.taken(world, *_at(move))
