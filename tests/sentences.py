"""Sentences of twelve languages with prices, times, addresses and hyphens, put together by lot from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

#: By Whisper's code: what stands between two parts of a sentence, and the parts.
PARTS: dict[str, tuple[str, str]] = {
    "en": (
        " ",
        "How much is it?|$5,000.50|at 5:30 p.m.|AT&T's|a triple-shot|99 Willow Lane, 493|"
        "don't|twenty-one|50%|re-entry|e.g.|the 21st|O'Neill|(really)|well... yes|“fine,”",
    ),
    "hi": (
        " ",
        "घर-बार|₹1,20,000|सुबह ५:३० बजे|५०%|आपको|कितने|टमाटर|चाहिए?|नहीं,|श्री शर्मा जी|"
        "क्षत्रिय|ज़िंदगी|धीरे-धीरे|मकान नं. १२/३|“ठीक है”|गाँव।",
    ),
    "ta": (
        " ",
        "இன்று|உங்களுக்கு|எத்தனை|தக்காளி|வேண்டும்?|₹1,500.75|காலை 5:30 மணி|50%|அ.தி.மு.க.|"
        "12/3, காந்தி தெரு|மெல்ல-மெல்ல|“சரி,”|போகலாம்!|ஸ்ரீ",
    ),
    "ml": (
        " ",
        "അടിതെറ്റിയാൽ|ആനയും|വീഴും.|₹2,500|രാവിലെ 5:30-ന്|50%|ഇടയ്ക്കൊക്കെ|ഫോൺ|വിളിക്കും.|എം.ജി. റോഡ്, 12/3|പതുക്കെ-പതുക്കെ|“ശരി,”|എന്താ?",
    ),
    "ur": (
        " ",
        "آپ|کو|کتنے|ٹماٹر|چاہئیں؟|۱۲۰۰ روپے|صبح ۵:۳۰ بجے|٪50|آہستہ-آہستہ|گھر،|نہیں۔|مکان نمبر 12/3|”ٹھیک ہے“",
    ),
    "fr": (
        " ",
        "l'école|aujourd'hui,|12,50 €|à 17 h 30|c'est-à-dire|n° 12|peut-être|« oui »|"
        "Saint-Étienne|50 %|qu'est-ce|vingt-et-un|où ?",
    ),
    "de": (
        " ",
        "die U-Bahn|um 17:30 Uhr|12,50 €|1.000|Straße 12a,|„gut“|z. B.|50 %|weiß,|Übermut|"
        "Nord-Süd-Achse|geht's?|der 21.",
    ),
    "th": (
        "",
        "วันนี้|คุณ|ต้องการ|มะเขือเทศ|กี่|ลูก|5,000.50 บาท|เวลา 17:30 น.|50%|iPhone|เร็วๆ|บ้านเลขที่ 12/3",
    ),
    "zh": (
        "",
        "今天|你|要|几个|西红柿？|¥5,000.50|下午5:30|50%|AT&T|解放路12号，|“好的”|二十一",
    ),
    "ja": (
        "",
        "今日|は|トマト|を|いくつ|ですか？|¥5,000|午後5時30分|50%|「はい」|12-3番地|コーヒー",
    ),
    "my": (
        "",
        "ဒီနေ့|ခရမ်းချဉ်သီး|ဘယ်နှစ်လုံး|လိုသလဲ။|၅,၀၀၀ ကျပ်|နံနက် ၅:၃၀|50%|အိမ်အမှတ် ၁၂/၃|ကျေးဇူးတင်ပါတယ်။",
    ),
    "ar": (
        " ",
        "كم|طماطم|تريد|اليوم؟|٥٠٠٠٫٥٠|الساعة 5:30|٪50|شيئًا-فشيئًا|شارع 12،|لا.|«نعم»|الرّجل",
    ),
}


def sentences(count: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """*count* pairs of a language and a sentence of it, as many of each language as there may be."""
    chance = random.Random(seed)
    languages = sorted(PARTS)
    for number in range(count):
        language = languages[number % len(languages)]
        between, parts = PARTS[language]
        yield language, between.join(chance.choices(parts.split("|"), k=chance.randint(1, 12)))
