"""The routes of the desk's API, one file a noun."""
