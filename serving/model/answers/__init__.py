"""What a model answers with: recommendations, their stars and reasons."""
