"""
The knowledge of language varieties: names, spelling, comparison of two texts, reports. Pure, CPU only.

    dialect          tags and the catalogue             text             texts made comparable, free spellings, guides
    scoring          errors, intervals, comparisons     confidence       how likely a drafted word is right
    report           tables, figures, pages, gates      pairs            pairs from CSV, JSONL and Parquet
    sample_size      what to transcribe next            learning_curve   what corrections have brought
    active_learning  which segments teach the most      contamination    what the training knew
    columns          tables for a terminal

Nothing here imports ``transcribe``. Import from the modules: this one is empty on purpose, so that each costs only
what it needs.
"""
