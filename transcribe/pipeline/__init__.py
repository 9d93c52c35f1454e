"""
Audio to drafts.

    drafting          pending recordings, two stages side by side    recipe         everything that decides a draft
    assembly          one recording: turns, words, segments          recognition    windows heard, and heard again
    windows           speech packed to what is heard at once         segmentation   what a person writes at once
    coverage          speech that gave no words                      draft_checks   flags of doubtful drafts
    same_voice        names of turns, voices of one person          name_finding   a project's names in a hearing
    alignment         times of the words of a person's text
"""
