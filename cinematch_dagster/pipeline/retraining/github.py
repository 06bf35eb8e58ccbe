"""A retraining elsewhere: start a GitHub Actions workflow over the REST API."""

import httpx

from cinematch_dagster.settings import GitHubSettings
from cinematch_dagster.warehouse.retraining.decisions import Decision

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which another try may help."""


class DispatchError(RuntimeError):
    """The workflow was not started, as far as is known; `transient` where trying again may help."""

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


def inputs_of(decision: Decision) -> dict[str, str]:
    """Return the inputs of the workflow, texts as GitHub wants them."""
    score = "" if decision.drift_score is None else f"{decision.drift_score:.4f}"
    return {
        "reason": decision.reason,
        "drift_score": score,
        "buffer_size": str(decision.buffer_size),
    }


def dispatch(settings: GitHubSettings, inputs: dict[str, str]) -> None:
    """Start the workflow with these inputs; only status 204 means that it was started.

    Raises:
        DispatchError: anything else; its message never holds the token.
    """
    url = (
        f"{settings.api_url.rstrip('/')}/repos/{settings.repository}"
        f"/actions/workflows/{settings.workflow}/dispatches"
    )
    token = settings.token.get_secret_value() if settings.token else ""
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    body = {"ref": settings.ref, "inputs": inputs}
    try:
        answer = httpx.post(url, headers=headers, json=body, timeout=settings.timeout_seconds)
    except httpx.TransportError as error:
        problem = f"{type(error).__name__} at {url} (expected status 204)"
        raise DispatchError(f"GitHub did not answer: {problem}", transient=True) from None
    if answer.status_code != httpx.codes.NO_CONTENT:
        raise DispatchError(
            f"GitHub answered {answer.status_code} at {url} (expected status 204)"
            f"{_explanation(answer, token)}",
            transient=answer.status_code in TRANSIENT,
        )


def _explanation(answer: httpx.Response, token: str) -> str:
    """Return what GitHub says about it, which could repeat the token."""
    try:
        said = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {(said.replace(token, '***') if token else said)[:200]}"
