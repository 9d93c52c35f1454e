"""
Texts made comparable.

    steps, normalise   named, versioned, hashed steps        number_words, number_folding   numbers to one form
    variants           spellings that are free               guide                          rules for people who write
    repetition         words that come again and again       code_switching   words of another language, marked
"""
