"""On small histories the checker agrees with trying every serial order, and every ok order replays."""

import pytest
from sketch import explains, random_history, serializable

from checker.list_append import check_list_append
from checker.register import check_register


@pytest.mark.parametrize("model, check", [("append", check_list_append), ("w", check_register)])
def test_random_histories_get_the_verdict_of_brute_force(model, check):
    seen = {"ok": 0, "violated": 0}
    for seed in range(1500):
        history = random_history(seed, model)
        verdict = check(history)
        if not any(one.status == "committed" for one in history):
            assert verdict.verdict == "unknown"
            continue
        assert verdict.verdict == ("ok" if serializable(history) else "violated"), (seed, history, verdict)
        seen[verdict.verdict] += 1
        if verdict.verdict == "ok":
            named = {one.name: one for one in history}
            assert explains(tuple(named[name] for name in verdict.order))
    assert min(seen.values()) > 200
