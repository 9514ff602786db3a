"""Servers for all live tests: each is started once in a process, by the first test that asks for it."""

from tests.live.accept.served import grounds, started_grounds
from tests.live.kube_server import kube
from tests.live.postgres_server import postgres_database, postgres_server

__all__ = ["grounds", "kube", "postgres_database", "postgres_server", "started_grounds"]
