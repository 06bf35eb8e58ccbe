import json
import logging
import logging.config
import sys

import pytest

from serving.telemetry.log import LOGGING, REQUEST_ID, JsonFormatter


def record(message: str, *args: object, **attributes: object) -> logging.LogRecord:
    made = logging.LogRecord("a.logger", logging.INFO, __file__, 1, message, args, None)
    made.__dict__ |= attributes
    return made


def test_a_record_is_one_line_of_json() -> None:
    text = JsonFormatter().format(record("two\nlines of %s", "Amélie", created=0.25))
    assert "\n" not in text
    assert json.loads(text) == {
        "time": "1970-01-01T00:00:00.250+00:00",
        "level": "info",
        "logger": "a.logger",
        "message": "two\nlines of Amélie",
    }


def test_fields_and_the_request_id_are_added() -> None:
    token = REQUEST_ID.set("abc")
    try:
        line = json.loads(JsonFormatter().format(record("m", fields={"version": "3", "x": {1}})))
    finally:
        REQUEST_ID.reset(token)
    assert (line["request_id"], line["version"], line["x"]) == ("abc", "3", "{1}")


def test_an_exception_is_a_field() -> None:
    try:
        raise ValueError("seen in the log")
    except ValueError:
        line = json.loads(JsonFormatter().format(record("m", exc_info=sys.exc_info())))
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: seen in the log")


def test_the_configuration_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logging.config.dictConfig(LOGGING)
        logging.getLogger("serving").info("configured")
        logging.getLogger("urllib3").warning("noise")
    finally:
        root.handlers[:], root.level = handlers, level
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == [
        "configured"
    ]
