"""The search for hyperparameters, and the learning curve."""
