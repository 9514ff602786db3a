"""Virtual time passes by itself, always in the same order, and never ahead of what is real."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from coagent.live.virtual_clock import ORDER_S, Deadlock, Pace, TimeIsUp, VirtualLoop, run


def now():
    return asyncio.get_running_loop().time()


def timed(coroutine, **more):
    began = time.perf_counter()
    return run(coroutine, **more), time.perf_counter() - began


def test_hours_of_sleep_pass_in_milliseconds_and_to_the_second():
    async def main():
        for _ in range(100):
            await asyncio.sleep(3600)
        return now()

    hours, real_s = timed(main())
    assert hours == 360_000 and real_s < 1


def test_time_stays_exact_when_it_is_large():
    async def main():
        await asyncio.sleep(1e12)
        await asyncio.sleep(0.001)
        await asyncio.gather(*(asyncio.sleep(1e-9) for _ in range(3)))
        return now()

    assert run(main()) == 1e12 + 0.001


def test_timers_run_by_time_and_of_one_time_in_the_order_in_which_they_were_set():
    said = []

    async def main():
        loop = asyncio.get_running_loop()
        for number in range(50):
            loop.call_at(5.0 if number % 3 else 4.0, said.append, number)
        dropped = loop.call_at(5.0, said.append, "dropped")
        dropped.cancel()
        await asyncio.sleep(6)

    run(main())
    assert said == [one for one in range(50) if one % 3 == 0] + [one for one in range(50) if one % 3]


def test_timers_a_nanosecond_apart_are_not_of_one_time():
    seen = []

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_at(1.0 + 1e-12, lambda: seen.append(loop.time()))
        loop.call_at(1.0, lambda: seen.append(loop.time()))
        await asyncio.sleep(2)

    run(main())
    assert seen == [1.0, 1.0 + 1e-12]


def test_a_time_out_ends_what_sleeps_longer_and_nothing_that_sleeps_less():
    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(10), 5)
        first = now()
        await asyncio.wait_for(asyncio.sleep(4), 5)
        async with asyncio.timeout(3600):
            await asyncio.sleep(1800)
        return first, now()

    assert run(main()) == (5, 1809)


def test_a_cancelled_task_cleans_up_in_virtual_time():
    said = []

    async def tidy():
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(7)
            said.append(now())

    async def main():
        task = asyncio.create_task(tidy())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        left = asyncio.create_task(tidy())
        await asyncio.sleep(1)
        return left

    assert run(main()).cancelled()
    assert said == [8, 16]


def test_thread_jobs_take_no_virtual_time_and_time_does_not_run_ahead_of_them():
    async def main():
        clock = asyncio.create_task(asyncio.sleep(3600))
        assert await asyncio.wait_for(asyncio.to_thread(slow, "done"), 1) == "done"
        assert now() == 0 and not clock.done()
        await clock
        return now()

    assert run(main()) == 3600


def slow(word, real_s=0.2):
    time.sleep(real_s)
    return word


def test_a_thread_job_that_nobody_waits_for_any_more_still_holds_the_clock():
    ended = []

    async def main():
        job = asyncio.create_task(asyncio.to_thread(lambda: ended.append(slow("x"))))
        await asyncio.sleep(0)
        job.cancel()
        await asyncio.sleep(10)
        assert ended == ["x"]

    run(main())


def test_thread_jobs_answer_in_the_order_given_whichever_is_faster():
    said = []

    async def one(number, real_s):
        said.append(await asyncio.to_thread(slow, number, real_s))

    async def main():
        await asyncio.gather(one(0, 0.03), one(1, 0.02), one(2, 0.0), one(3, 0.01))

    for _ in range(3):
        said.clear()
        run(main())
        assert said == [0, 1, 2, 3]


def test_a_thread_job_may_wait_for_the_loop_and_for_later_jobs():
    async def main():
        loop = asyncio.get_running_loop()
        released = threading.Event()

        async def word():
            return await asyncio.to_thread(slow, "word", 0)

        def asking():
            answer = asyncio.run_coroutine_threadsafe(word(), loop).result(timeout=5)
            assert released.wait(5)
            return answer

        job = asyncio.create_task(asyncio.to_thread(asking))
        await asyncio.sleep(0)
        await asyncio.to_thread(released.set)
        return await job

    assert run(main()) == "word"


def test_a_thread_job_is_answered_as_soon_as_it_ends():
    async def main():
        for _ in range(60):
            await asyncio.to_thread(slow, "x", 0.003)

    assert timed(main())[1] < 60 * ORDER_S / 2


def test_what_a_thread_job_raises_comes_to_who_waits():
    async def main():
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.to_thread(next, iter(()))

    run(main())


async def stuck():
    await asyncio.get_running_loop().create_future()


def test_a_deadlock_names_the_tasks_and_where_they_wait():
    async def main():
        await asyncio.sleep(3)
        async with asyncio.TaskGroup() as group:
            group.create_task(stuck(), name="left hand")
            group.create_task(stuck(), name="right hand")

    with pytest.raises(Deadlock) as caught:
        run(main())
    said = str(caught.value)
    assert said.startswith("nothing is left to happen at 3 s: ")
    assert "left hand (stuck) waits at" in said and "right hand (stuck) waits at" in said
    line = stuck.__code__.co_firstlineno + 1
    assert said.count(f"{os.path.basename(__file__)}:{line}") == 2


def test_sleeping_for_ever_is_a_deadlock_too():
    with pytest.raises(Deadlock, match="sleep"):
        run(asyncio.sleep(float("inf")))


def test_a_thread_that_never_ends_and_a_socket_that_never_answers_run_out_of_patience():
    released = threading.Event()

    async def threaded():
        try:
            await asyncio.to_thread(released.wait)
        finally:
            released.set()

    with pytest.raises(Deadlock, match=r"of 1 thread job: Task-\d+ \(.*threaded\)"):
        run(threaded(), pace=Pace(patience_s=0.1))

    async def listening():
        async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0) as server:
            await server.serve_forever()

    with pytest.raises(Deadlock, match="of sockets or pipes"):
        run(listening(), pace=Pace(patience_s=0.1))


def test_until_includes_what_is_due_at_it_and_nothing_later():
    said = []

    async def main():
        for _ in range(10):
            await asyncio.sleep(1)
            said.append(now())

    with pytest.raises(TimeIsUp, match="until 3 s.*due at 4 s"):
        run(main(), until=3)
    assert said == [1, 2, 3]
    said.clear()
    run(main(), until=10)
    assert len(said) == 10
    with pytest.raises(Deadlock):
        run(stuck(), until=100)


def test_what_is_left_is_cancelled_in_the_order_of_its_making_and_may_clean_up_past_until():
    ended = []

    async def tidy(number):
        try:
            await stuck()
        finally:
            ended.append(number)
            await asyncio.sleep(100)
            ended.append((number, now()))

    async def main():
        left = []
        for number in range(60):
            left.append(asyncio.create_task(tidy(number)))
            await asyncio.sleep(0.1)
        return left

    assert all(task.cancelled() for task in run(main(), until=10))
    assert ended[:60] == list(range(60))
    assert [number for number, _ in ended[60:]] == list(range(60)) and ended[-1][1] > 100


async def echo(reader, writer):
    while line := await reader.readline():
        await asyncio.sleep(60)
        writer.write(line)
    writer.close()


def test_sockets_on_loopback_answer_while_virtual_time_passes():
    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            for number in range(5):
                writer.write(b"%d\n" % number)
                assert await asyncio.wait_for(reader.readline(), 90) == b"%d\n" % number
            with pytest.raises(TimeoutError):
                writer.write(b"late\n")
                await asyncio.wait_for(reader.readline(), 30)
            writer.close()
        return now()

    passed, real_s = timed(main())
    assert passed == 330 and real_s < 5


def answering_late(listener):
    peer, _ = listener.accept()
    with peer:
        time.sleep(0.02)
        peer.sendall(b"hello\n")


@pytest.mark.parametrize("grace_s, heard", [(2.0, b"hello\n"), (0.001, None)])
def test_a_peer_outside_is_heard_before_a_time_out_when_it_answers_within_the_grace(grace_s, heard):
    async def main(address):
        reader, writer = await asyncio.open_connection(*address)
        try:
            return await asyncio.wait_for(reader.readline(), 1)
        except TimeoutError:
            return None
        finally:
            writer.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answering_late, args=(listener,))
        thread.start()
        assert run(main(listener.getsockname()), pace=Pace(grace_s=grace_s)) == heard
        thread.join()


PROCESS = "import sys, time; time.sleep(0.3); print(sys.stdin.read().upper(), end='')"


def test_a_process_holds_the_clock_until_it_ends_with_pipes_and_without():
    async def main():
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROCESS, stdin=pipe, stdout=pipe)
        out, _ = await asyncio.wait_for(process.communicate(b"word"), 1)
        silent = await asyncio.create_subprocess_shell("sleep 0.2; exit 7")
        ticking = asyncio.create_task(asyncio.sleep(5))
        code = await asyncio.wait_for(silent.wait(), 1)
        assert not ticking.done()
        return out, process.returncode, code, now()

    assert run(main()) == (b"WORD", 0, 7, 0)


STORY = """
import asyncio, random, sys
from coagent.live.virtual_clock import run

said = []

async def one(name, seed):
    chance = random.Random(seed)
    for step in range(20):
        match chance.randrange(4):
            case 0: await asyncio.sleep(chance.randrange(3))
            case 1: await asyncio.to_thread(sum, range(chance.randrange(20_000)))
            case 2: await asyncio.wait({asyncio.create_task(asyncio.sleep(0)) for _ in range(3)})
            case 3: await asyncio.sleep(0)
        said.append((name, step, asyncio.get_running_loop().time(), asyncio.current_task().get_name()))

async def forever(name):
    try:
        await asyncio.sleep(1e9)
    finally:
        said.append(("cancelled", name))

async def failing():
    await asyncio.sleep(1)
    raise ValueError

async def main():
    kept = [asyncio.create_task(forever(f"left {number}")) for number in range(20)]
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(forever(f"grouped {number}"))
            group.create_task(failing())
    except* ValueError:
        pass
    await asyncio.gather(*(one(f"agent-{number}", number) for number in range(8)))
    done, _ = await asyncio.wait({asyncio.create_task(asyncio.sleep(1), name=f"n{n}") for n in range(20)})
    said.extend(task.get_name() for task in done)
    return kept

run(main())
print(said)
"""


def told(hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    # What is made before changes the addresses that come after.
    ballast = f"ballast = [object() for _ in range({hash_seed} * 1_000)]\n"
    command = [sys.executable, "-c", ballast + STORY]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_order_and_times_are_the_same_under_every_hash_seed():
    first = told(0)
    assert first.count("cancelled") == 40 and first.count("agent-") == 160
    assert told(1) == told(77) == first


def test_two_runs_in_one_process_give_tasks_the_same_names():
    async def main():
        return [asyncio.create_task(asyncio.sleep(0)).get_name() for _ in range(3)]

    assert run(main()) == run(main())


def test_a_loop_is_an_ordinary_loop_for_who_makes_it():
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(asyncio.sleep(5, "word")) == "word"
        assert runner.get_loop().time() == 5
