"""What a person knows of a photo's colours: hints, and what else becomes hints. Free of torch."""
