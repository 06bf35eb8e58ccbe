"""A challenger is trained, evaluated and logged."""
