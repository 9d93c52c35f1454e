"""
Scoring of a workspace's models, or of tables of texts, by dialect.

    request         the speech to score, how, and the reports to write
    rules           the settings as rules of texts and intervals
    pairs           corrections or rows of a table beside hypotheses
    conversations   whole conversations, for cpWER and DER
    learning        how rates fell with corrections so far
    report          the reports of models, their files, and conditions that must not hold
    workspace       all of it for one model of a workspace
    sides           one side of a comparison, from a file
    comparison      two models on the same speech
"""
