"""The file that MLflow runs to load a version: log it as `python_model`, models-from-code.

A version carries the code that answers for it as one archive beside this file. Python imports from
an archive on its path, so the version answers with its own code in a process that has none of ours.
"""

import sys
from pathlib import Path

from mlflow.models import set_model

CODE = Path(__file__).with_name("code") / "serving.zip"
if CODE.is_file():  # not while the model is being logged: then the code is the installed one
    sys.path.insert(0, str(CODE))

from serving.model.pyfunc import CineMatch  # noqa: E402 - found by the line above

set_model(CineMatch())
