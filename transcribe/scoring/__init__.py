"""
Scoring of a workspace's models, or of tables of texts, by dialect.

    rules           the request: speech, reports; the settings as rules of texts and intervals
    pairs           corrections or rows of a table beside hypotheses
    conversations   whole conversations, for cpWER and DER
    report          the reports of models, their files, learning curves, conditions that must not hold
    workspace       all of it for one model of a workspace
    comparison      two models on the same speech, also from files
"""
