"""Each week is compared with what the model was trained on."""
