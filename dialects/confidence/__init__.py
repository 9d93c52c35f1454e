"""
Word confidences and expected errors.

    calibration   probabilities against what turned out right     words   which words of a draft are doubtful
    error_model   the expected errors of a draft from its features
"""
