"""Whether anything is lost when something breaks: every fault, tried on a running platform."""
