"""Station 3: a challenger is trained, evaluated and logged."""
