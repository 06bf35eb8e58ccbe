"""Station 2: each week is compared with what the model was trained on."""
