"""Questions to Dagster's web server, through its GraphQL API like any other client."""

from typing import Any

import httpx


class GraphqlError(RuntimeError):
    """Dagster does not answer, or refuses the question; the message says which, and why."""


def ask(client: httpx.Client, question: str, **variables: Any) -> dict[str, Any]:
    """Return the answer's `data`.

    Args:
        client: whose base address is the web server's.
        question: a query or a mutation.
        variables: of the question.

    Raises:
        GraphqlError: without an answer, or with an error in it.
    """
    try:
        answer = client.post("/graphql", json={"query": question, "variables": variables})
        body = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise GraphqlError(f"Dagster does not answer: {error}") from None
    if body.get("errors"):
        raise GraphqlError(f"Dagster refused the query: {body['errors'][0]['message']}")
    return dict(body["data"])
