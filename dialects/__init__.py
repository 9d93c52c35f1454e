"""
The knowledge of language varieties: names, spelling, comparison of two texts, reports. Pure, CPU only.

    dialect        tags and the catalogue              steps, normalise   texts made comparable
    variants       spellings that are free             scoring            hits, substitutions, deletions, insertions
    statistics     intervals and tests by speaker      reading            pairs from CSV, JSONL and Parquet
    preparing      a pair with its rules               counted            counts of one pair, cached or new
    tally, rows    sums by speaker, a line a dialect   grouping           rates by speaker, length, noise and more
    seen           what the training knew              columns            tables for a terminal
    gaps           worst dialect, against chance       comparison         two models on the same speech
    breakdown      which errors, by whom, where        agreement          what two people differ by
    conversations  several speakers at once            sampling           what to transcribe next
    report         tables, JSON, CSV, Parquet          page, figures      the same as one HTML file
    markup         pieces of that page                 examples           segments to read in it
    utterances     one line a segment                  folder             all of it as files
    gates          conditions that stop a script

Nothing here imports ``transcribe``. Import from the modules: this one is empty on purpose, so that each costs only
what it needs.
"""
