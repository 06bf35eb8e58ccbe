"""What every part of the service and of the platform rests on; imports nothing of ours."""
