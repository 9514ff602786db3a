"""Many agents over a service: no call is lost, the checker agrees, and the middleware adds little to a call."""

import pytest

from coagent.bench.live import live_figures


@pytest.mark.xdist_group("service")
def test_calls_are_counted_timed_and_judged():
    named = {one.name: one for one in live_figures(calls=200, agents=12, load=400, processes=2)}
    assert len(named) == 5 and all(one.value > 0 for one in named.values())
    assert named["live_load_s"].of == "12 agents in 2 processes, 400 calls over HTTP, 0 lost, checker ok"


@pytest.mark.nightly
def test_ten_thousand_calls_of_sixty_four_agents_within_the_bounds():
    named = {one.name: one for one in live_figures()}
    assert named["live_load_s"].of == "64 agents in 4 processes, 10,000 calls over HTTP, 0 lost, checker ok"
    assert named["live_call_ms"].value < 1 and named["live_call_http_ms"].value < 5
