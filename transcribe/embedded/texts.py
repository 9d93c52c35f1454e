"""
Everyday talk as tables: what people of each dialect say at a market, on the phone, to a doctor, on a farm, at school.

A pattern is a turn with slots in braces; a slot is filled by one of its fillers, which may hold slots again.
A filler that stands twice in its tuple is said twice as often. Texts are lower case, without punctuation, in NFC.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence

Fillers = Mapping[str, Sequence[str]]

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

ENGLISH: Fillers = {
    "turn": (
        "{many} {things} please",
        "i want {many} {things}",
        "can i have {many} {things} please",
        "give me some {food} please",
        "how much is the {food}",
        "that is {many} {money}",
        "it costs {many} {money}",
        "do you have any {food}",
        "no we only have {many} {things}",
        "zero {things} left i am sorry",
        "the {food} is very good today",
        "my number is {digit} {digit} {digit} {digit}",
        "call {digit} {digit} {digit} {digit} please",
        "{digit} {digit} {digit} {digit} {digit}",
        "the code is {digit} {digit} {digit}",
        "say that again please",
        "the {ride} is late again",
        "when does the {ride} come",
        "bus {digit} {digit} leaves at {many}",
        "the {ride} comes at half past {many}",
        "take bus number {digit} {digit} to town",
        "i will be home at {many}",
        "see you on {day}",
        "my {body} hurts",
        "the doctor can see you on {day}",
        "take {many} of these every {part}",
        "i was sick for {many} days",
        "how is your {family}",
        "my {family} is well thank you",
        "we have {many} {animals} now",
        "the {animals} are in the field",
        "i sold {many} {animals} on {day}",
        "my {family} has {many} {animals}",
        "we need more {weather} for the field",
        "school starts at {many}",
        "the children read {many} books",
        "my {family} goes to school on {day}",
        "write your name in the book",
        "good morning how are you",
        "i am very well thank you",
        "yes that is right",
        "no thank you",
        "have a good day",
        "what time is it",
        "it is {many} in the {part}",
        "there is {weather} today",
    ),
    "digit": DIGITS,
    "many": DIGITS[2:],
    "things": ("apples", "eggs", "onions", "potatoes", "carrots", "{own things}"),
    "own things": ("apples", "eggs"),
    "food": ("milk", "bread", "tea", "rice", "sugar", "fish", "butter"),
    "money": ("pounds",),
    "ride": ("bus", "train", "{own ride}"),
    "own ride": ("bus",),
    "day": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "part": ("morning", "evening"),
    "body": ("head", "hand", "back", "foot"),
    "family": ("mother", "father", "brother", "sister", "son"),
    "animals": ("cows", "sheep", "hens", "goats", "horses"),
    "weather": ("rain", "wind", "sun"),
}

#: What a dialect of English has besides, or instead; "turn" is added to the common turns, a slot replaces its like.
ENGLISH_OWN: Mapping[str, Fillers] = {
    "en-GB": {
        "turn": ("join the queue please", "the queue is long today", "the lorry is late again"),
        "own things": ("parsnips", "biscuits"),
        "own ride": ("lorry",),
    },
    "en-US": {
        "turn": ("the store is around the block", "i guess that is fine"),
        "own things": ("cookies", "pickles"),
        "own ride": ("truck",),
        "money": ("dollars",),
    },
    "en-029": {
        "turn": ("soon come my friend", "everything is irie", "the pickney are at school"),
        "own things": ("mangoes", "plantains"),
        "own ride": ("minibus",),
        "money": ("dollars",),
    },
    "en-GB-x-lancs": {
        "turn": ("there is nowt left", "i want owt but tea", "that is champion"),
        "own things": ("barms",),
    },
    "en-GB-x-wmids": {
        "turn": ("that is bostin", "ta ra a bit", "see you later bab"),
        "own things": ("cobs",),
    },
    "en-US-x-nyc": {
        "turn": ("the bodega is around the block", "wait on line please"),
        "own things": ("bagels",),
        "money": ("dollars",),
    },
}

#: Scots words are spelled as the Concise Scots Dictionary's commonest form of each.
SCOTS: Fillers = {
    "turn": (
        "aye {many} {size} {things} please",
        "{many} {size} {things} please",
        "aye i ken that is {many} pounds",
        "i ken it costs {many} pounds",
        "i dinnae ken how much",
        "give me the messages please",
        "the messages are {many} pounds",
        "aye the {size} {child} is sick {when}",
        "the {size} {child} cannae come to school",
        "the {child} was greeting {when}",
        "dinnae greet {size} {child}",
        "we bide outwith the town",
        "i bide at the {place} now",
        "my {auld} {family} bides at the {place}",
        "the {ride} is gonnae be late",
        "it is gonnae be {grim} {when}",
        "aye it is {grim} {when}",
        "the haar is on the {place} {when}",
        "i want a {size} blether {when}",
        "that {glaikit} {ride} is late again",
        "the {glaikit} {animals} are in the {place}",
        "i cannae see you {when}",
        "see you the morn at {many}",
        "aye see you at the kirk on {day}",
        "the {auld} kirk is outwith the town",
        "my {auld} {body} hurts {when}",
        "we have {many} {bonny} {animals} now",
        "the {bonny} {lass} has {many} {animals}",
        "the {lass} cannae come on {day}",
        "i dinnae want any {food}",
        "the {neeps} are {many} pounds",
        "{many} pounds of {neeps} please",
        "my number is {digit} {digit} {digit} {digit}",
        "{digit} {digit} {digit} {digit} {digit}",
        "bus {digit} {digit} leaves at {many}",
        "take bus {digit} {digit} outwith the town",
        "school starts at {many} the morn",
        "do you ken what time it is",
    ),
    "size": ("wee",),
    "child": ("bairn", "bairn", "lass", "laddie"),
    "lass": ("lass", "laddie"),
    "auld": ("auld",),
    "grim": ("dreich",),
    "glaikit": ("glaikit",),
    "bonny": ("bonny", "braw"),
    "neeps": ("neeps", "tatties"),
    "place": ("loch", "burn", "kirk"),
    "when": ("the morn", "the day", "on {day}"),
}

HINDI_DIGITS = ("शून्य", "एक", "दो", "तीन", "चार", "पाँच", "छह", "सात", "आठ", "नौ")

HINDI: Fillers = {
    "turn": (
        "मुझे {many} {things} चाहिए",
        "{many} {things} दीजिए",
        "थोड़ा {food} दीजिए",
        "{food} कितने का है",
        "यह {many} रुपये का है",
        "{things} {many} रुपये के हैं",
        "आज {things} नहीं हैं",
        "मेरा नंबर {digit} {digit} {digit} {digit} है",
        "{digit} {digit} {digit} {digit} {digit}",
        "फिर से बोलिए",
        "बस कब आएगी",
        "बस {many} बजे आएगी",
        "बस नंबर {digit} {digit} आज देर से है",
        "मैं {many} बजे घर आऊँगा",
        "{day} को आइए",
        "डॉक्टर {day} को मिलेंगे",
        "मेरे {body} में दर्द है",
        "यह दवा {many} दिन लीजिए",
        "आपके {family} कैसे हैं",
        "मेरे {family} घर पर हैं",
        "हमारे पास {many} {animals} हैं",
        "{animals} खेत में हैं",
        "{day} को बारिश होगी",
        "स्कूल {many} बजे खुलता है",
        "बच्चे स्कूल में हैं",
        "बच्चों ने {many} किताबें पढ़ीं",
        "नमस्ते आप कैसे हैं",
        "मैं ठीक हूँ धन्यवाद",
        "हाँ ठीक है",
        "जी नहीं धन्यवाद",
        "अब कितने बजे हैं",
        "अब {many} बजे हैं",
    ),
    "digit": HINDI_DIGITS,
    "many": HINDI_DIGITS[2:],
    "things": ("सेब", "अंडे", "केले", "आलू", "टमाटर"),
    "food": ("दूध", "पानी", "चावल", "नमक"),
    "day": ("सोमवार", "मंगलवार", "बुधवार", "गुरुवार", "शुक्रवार", "शनिवार", "रविवार"),
    "body": ("सिर", "हाथ", "पैर", "पेट"),
    "family": ("पिता", "भाई", "दादा"),
    "animals": ("गायें", "भैंसें", "बकरियाँ"),
}

TAMIL_DIGITS = ("பூஜ்ஜியம்", "ஒன்று", "இரண்டு", "மூன்று", "நான்கு", "ஐந்து", "ஆறு", "ஏழு", "எட்டு", "ஒன்பது")

TAMIL: Fillers = {
    "turn": (
        "எனக்கு {many} {things} வேண்டும்",
        "{many} {things} கொடுங்கள்",
        "கொஞ்சம் {food} கொடுங்கள்",
        "{food} விலை என்ன",
        "இது {many} ரூபாய்",
        "இன்று {things} இல்லை",
        "{food} மிகவும் நல்லது",
        "என் எண் {digit} {digit} {digit} {digit}",
        "{digit} {digit} {digit} {digit} {digit}",
        "மீண்டும் சொல்லுங்கள்",
        "பேருந்து எப்போது வரும்",
        "பேருந்து {many} மணிக்கு வரும்",
        "பேருந்து எண் {digit} {digit}",
        "நான் {many} மணிக்கு வருவேன்",
        "{day} அன்று வாருங்கள்",
        "மருத்துவர் {day} அன்று வருவார்",
        "எனக்கு {body} வலிக்கிறது",
        "இந்த மருந்து {many} நாள் சாப்பிடுங்கள்",
        "உங்கள் {family} எப்படி இருக்கிறார்",
        "என் {family} வீட்டில் இருக்கிறார்",
        "என் {family} கடைக்குப் போனார்",
        "எங்களிடம் {many} {animals} உள்ளன",
        "{animals} வயலில் உள்ளன",
        "{day} அன்று மழை வரும்",
        "பள்ளி {many} மணிக்கு தொடங்கும்",
        "குழந்தைகள் பள்ளியில் உள்ளனர்",
        "வணக்கம் எப்படி இருக்கிறீர்கள்",
        "நான் நன்றாக இருக்கிறேன் நன்றி",
        "ஆமாம் சரி",
        "இல்லை வேண்டாம் நன்றி",
        "இப்போது மணி என்ன",
        "இப்போது மணி {many}",
    ),
    "digit": TAMIL_DIGITS,
    "many": TAMIL_DIGITS[2:],
    "things": ("முட்டை", "வாழைப்பழம்", "தேங்காய்", "வெங்காயம்", "தக்காளி"),
    "food": ("பால்", "தண்ணீர்", "அரிசி", "உப்பு", "சர்க்கரை"),
    "day": ("திங்கள்", "செவ்வாய்", "புதன்", "வியாழன்", "வெள்ளி", "சனி", "ஞாயிறு"),
    "body": ("தலை", "கை", "கால்", "வயிறு"),
    "family": ("அம்மா", "அப்பா", "அண்ணன்", "அக்கா"),
    "animals": ("மாடுகள்", "ஆடுகள்", "கோழிகள்"),
}


def _english(own: Fillers) -> Fillers:
    return {**ENGLISH, **own, "turn": (*ENGLISH["turn"], *own["turn"])}


TALK: Mapping[str, Fillers] = {
    **{dialect: _english(own) for dialect, own in ENGLISH_OWN.items()},
    "en-scotland": {**ENGLISH, **SCOTS},
    "hi": HINDI,
    "ta": TAMIL,
}

DIALECTS = tuple(TALK)

_SLOT = re.compile(r"\{([^}]+)\}")


def sentence(dialect: str, rng: random.Random) -> str:
    """
    Give one turn of talk, 2 to 9 words.

    Raises:
        KeyError: If *dialect* is none of `DIALECTS`.
    """
    fillers = TALK[dialect]
    text = rng.choice(fillers["turn"])
    while slot := _SLOT.search(text):
        text = text[: slot.start()] + rng.choice(fillers[slot[1]]) + text[slot.end() :]
    return text


def digits(rng: random.Random, n: int) -> str:
    """Give *n* random English digit words."""
    return " ".join(rng.choices(DIGITS, k=n))


def vocabulary(dialect: str) -> list[str]:
    """Give every word that `sentence` can say in *dialect*, sorted."""
    return sorted(set(_words(TALK[dialect], "turn")))


def _words(fillers: Fillers, slot: str) -> Iterator[str]:
    for filler in fillers[slot]:
        yield from _SLOT.sub(" ", filler).split()
        for inner in _SLOT.findall(filler):
            yield from _words(fillers, inner)
