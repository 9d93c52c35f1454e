"""
The errors of each dialect, for people and scripts.

    table        a line a dialect, as JSON, CSV and Parquet     page, figures, html   the same as one HTML file
    breakdown    which errors, by whom, where, with examples    grouping              rates by speaker, length and noise
    gaps         worst dialect, against chance                  gates                 conditions that stop a script
    utterances   one line a segment, and all of it as files
"""
