"""Proofs, by value numbering and by z3: of recorded runs, of tools declared as data, of the proposition itself.

    from checker.proof import prove_history
    proof = prove_history(history)            # a coagent.history.History
    proof.verdict, proof.sentences(), proof.exit_code

`prove_history` compares a recorded run with its serial order, from all start states; `needless` says which of its
notices were of no use; `prove_inverse`, `prove_frame` and `prove_commutativity` are about tools, `proved_tools` about
a table of them; `prove_proposition` and `prove_laws` are about any number of agents and operations. Each gives a
`Proof`: proved, refuted with a counterexample that was replayed, or unknown with what is missing. z3 is imported
when the first question needs it. (P2 section 3; the two cancellation laws and the proposition are PROTOCOL's.)
"""

from checker.proof.commutativity import Needless, call_of, needless, prove_commutativity
from checker.proof.equivalence import prove_history
from checker.proof.frame import prove_frame
from checker.proof.inverse import Compensation, prove_inverse
from checker.proof.proof import Counterexample, Proof
from checker.proof.proposition import prove_laws, prove_proposition
from checker.proof.sample_call import Sample, samples
from checker.proof.tool_table import Line, proved_tools

__all__ = [
    "Compensation",
    "Counterexample",
    "Line",
    "Needless",
    "Proof",
    "Sample",
    "call_of",
    "needless",
    "prove_commutativity",
    "prove_frame",
    "prove_history",
    "prove_inverse",
    "prove_laws",
    "prove_proposition",
    "proved_tools",
    "samples",
]
