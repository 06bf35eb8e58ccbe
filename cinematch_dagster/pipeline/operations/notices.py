"""Notices: what is told, in the shapes that Slack and PagerDuty take, and the sending."""

import html
import logging
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from cinematch_dagster.settings import NoticeSettings

# A webhook's address is a secret, and httpx writes the address of every request at INFO.
logging.getLogger("httpx").setLevel(logging.WARNING)

Kind = Literal["failure", "drift", "promotion", "rollback"]
SEVERITY: dict[Kind, str] = {
    "failure": "error",
    "drift": "warning",
    "promotion": "info",
    "rollback": "warning",
}


class NoticeError(RuntimeError):
    """A notice did not arrive; the message never holds the webhook's address."""


@dataclass(frozen=True)
class Notice:
    """Something that whoever runs the platform should know.

    Attributes:
        subject: what it is about (a job, a week, a version); with the kind it is the dedup key.
        title: one line.
        text: one or more sentences.
        link: where to look.
    """

    kind: Kind
    subject: str
    title: str
    text: str
    link: str

    @property
    def dedup_key(self) -> str:
        """The same for notices of which one is enough."""
        return f"{self.kind}:{self.subject}"


def slack(notice: Notice) -> dict[str, Any]:
    """Return the notice as the body of a Slack webhook."""
    text = html.escape(notice.text, quote=False)
    return {
        "text": f"{html.escape(notice.title, quote=False)}: {text}",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": notice.title[:150]}},
            {"type": "section", "text": {"type": "mrkdwn", "text": text[:2900]}},
            {
                "type": "context",
                "elements": [{"type": "mrkdwn", "text": f"<{notice.link}|Open> · {notice.kind}"}],
            },
        ],
    }


def pagerduty(notice: Notice, routing_key: str) -> dict[str, Any]:
    """Return the notice as an event of PagerDuty's Events API, version 2."""
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": notice.dedup_key,
        "payload": {
            "summary": f"{notice.title}: {notice.text}"[:1024],
            "source": "cinematch",
            "severity": SEVERITY[notice.kind],
            "class": notice.kind,
            "component": notice.subject,
        },
        "links": [{"href": notice.link, "text": "Open"}],
    }


def send(notice: Notice, settings: NoticeSettings) -> None:
    """Send a notice.

    Raises:
        NoticeError: it did not arrive.
    """
    assert settings.webhook_url is not None
    key = settings.routing_key.get_secret_value() if settings.routing_key else ""
    body = slack(notice) if settings.shape == "slack" else pagerduty(notice, key)
    try:
        answer = httpx.post(
            settings.webhook_url.get_secret_value(), json=body, timeout=settings.timeout_seconds
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoticeError(f"the webhook did not answer: {type(error).__name__}") from None
    if not answer.is_success:
        raise NoticeError(f"the webhook answered {answer.status_code} (expected 2xx)")


def due(notices: list[Notice], told: dict[str, float], now: float, cooldown: float) -> list[Notice]:
    """Leave out what was told already, here or less than `cooldown` seconds ago.

    Args:
        notices: the oldest first; of those with one dedup key the newest is kept.
        told: when (unix seconds) each dedup key was told last.
        now: unix seconds.
        cooldown: seconds.
    """
    newest = {notice.dedup_key: notice for notice in notices}
    return [
        notice for key, notice in newest.items() if now - told.get(key, float("-inf")) >= cooldown
    ]
