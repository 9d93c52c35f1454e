"""Shapes of requests and answers. Their words are those of the API's description."""
