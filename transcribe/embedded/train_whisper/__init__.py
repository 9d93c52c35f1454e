"""How the small Whisper was made; `python -m transcribe.embedded.train_whisper --help` lists the commands."""
