"""
The errors of a hypothesis, and how sure their rate is.

    word_errors     hits, substitutions, deletions, insertions      cpwer        several speakers at once
    prepare         a pair with its rules                           sums, rows   sums by speaker, a line a dialect
    statistics      intervals and tests by speaker                  comparison   two models on the same speech
    agreement       what two people differ by                       meetings     conversations, by dialect
    hallucinations  loops, foreign scripts, words nobody said
"""
