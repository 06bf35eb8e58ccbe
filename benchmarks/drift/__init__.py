"""How good the drift tests are: false alarms, power, delay, real weeks and speed."""
