"""The promotion gate: whether a challenger replaces the champion."""

from cinematch_dagster.recommenders.gate.audit import Audit, audit
from cinematch_dagster.recommenders.gate.decision import Contender, Verdict, decide
from cinematch_dagster.recommenders.gate.rules import Rule
from cinematch_dagster.recommenders.gate.thresholds import Thresholds

__all__ = ["Audit", "Contender", "Rule", "Thresholds", "Verdict", "audit", "decide"]
