"""One request to a Kubernetes API server by the official client, and what its answers mean; raw JSON both ways.

Typed models of the client would lose what they do not know, and objects must come back whole.
"""

import json
import re
from collections.abc import Sequence

from coagent.bad_input import BadInput
from coagent.live.target import Refused

TIMEOUT_S = 30.0
"""Seconds that one request may take."""

_REFUSALS = frozenset({400, 401, 403, 405, 413, 415, 422})
_MESSAGE = 300


class Answer(Exception):
    """An answer that is no success and no refusal either, with its status and the server's message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status, self.message = status, message


def opened(kubeconfig: str | None) -> object:
    """A client as the kubeconfig says, or the client's own rule. Raises BadInput without the package or a cluster."""
    try:
        from kubernetes import client, config
    except ImportError:
        raise BadInput("Kubernetes needs the extra `live`: pip install 'coagent-mtpo[live]'") from None
    try:
        made = config.new_client_from_config(config_file=kubeconfig)
    except config.ConfigException as no_file:
        try:
            config.load_incluster_config(configuration := client.Configuration())
        except config.ConfigException:
            raise BadInput(f"no cluster is configured ({no_file}); let KUBECONFIG name its kubeconfig") from None
        return client.ApiClient(configuration)
    if not made.configuration.verify_ssl:
        # The kubeconfig asked for this; a warning at every request would only stand in the way of answers.
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return made


def asked(api: object, method: str, url: str, query: Sequence[tuple[str, str]], body: dict | None, form: str) -> dict:
    """One request. Raises Refused where the server says no, `Answer` for other answers that are no success."""
    from kubernetes.client import ApiException

    headers = {"Accept": "application/json", "Content-Type": f"application/{form + '+' if form else ''}json"}
    query = list(query)
    api.update_params_for_auth(headers, query, ["BearerToken"])
    try:
        answer = api.rest_client.request(
            method,
            api.configuration.host + url,
            query_params=query,
            headers=headers,
            body=body,
            _request_timeout=TIMEOUT_S,
        )
    except ApiException as no:
        message = _said(no)
        if no.status in _REFUSALS:
            raise Refused(message) from None
        if no.status in (404, 409, 410) or "compacted" in message:
            raise Answer(no.status, message) from None
        raise
    return json.loads(answer.data)


def _said(no: object) -> str:
    """The server's own message in one line, cut where it is long."""
    try:
        message = json.loads(no.body)["message"]
    except (TypeError, ValueError, KeyError):
        message = no.body or no.reason or ""
    message = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    return re.sub(r"\s+", " ", message)[:_MESSAGE]
