/** Latin spellings of letters, a table a script: small, our own, and the same for everybody. */

export interface Layout {
  /** Each with its bare letters; a vowel that follows takes the place of the one that is in it. */
  consonants: Readonly<Record<string, string>>;
  /** By itself, and after a consonant. */
  vowels: Readonly<Record<string, readonly [string, string]>>;
  /** What stands by itself. An empty one parts two letters that would else be one. */
  signs: Readonly<Record<string, string>>;
  /** Consonants that are others where a word begins. */
  first: Readonly<Record<string, string>>;
  /** What takes the vowel out of a consonant. */
  killer: string;
  /** Whether a consonant that no vowel follows loses its own at the end of a word too. */
  killsLast: boolean;
}

const DEVANAGARI: Layout = {
  consonants: {
    k: "क", kh: "ख", g: "ग", gh: "घ", Ng: "ङ",
    c: "च", ch: "च", chh: "छ", C: "छ", Ch: "छ", j: "ज", jh: "झ", Nj: "ञ",
    T: "ट", Th: "ठ", D: "ड", Dh: "ढ", N: "ण",
    t: "त", th: "थ", d: "द", dh: "ध", n: "न",
    p: "प", ph: "फ", b: "ब", bh: "भ", m: "म",
    y: "य", r: "र", l: "ल", L: "ळ", v: "व", w: "व",
    sh: "श", S: "ष", Sh: "ष", s: "स", h: "ह", x: "क्ष", jny: "ज्ञ",
    q: "क\u093c", K: "ख\u093c", Kh: "ख\u093c", G: "ग\u093c", z: "ज\u093c", f: "फ\u093c", R: "ड\u093c", Rh: "ढ\u093c",
  },
  vowels: {
    a: ["अ", ""], aa: ["आ", "ा"], A: ["आ", "ा"], i: ["इ", "ि"], ii: ["ई", "ी"], ee: ["ई", "ी"], I: ["ई", "ी"],
    u: ["उ", "ु"], uu: ["ऊ", "ू"], oo: ["ऊ", "ू"], U: ["ऊ", "ू"], RRi: ["ऋ", "ृ"],
    e: ["ए", "े"], ai: ["ऐ", "ै"], o: ["ओ", "ो"], au: ["औ", "ौ"], E: ["ऍ", "ॅ"], O: ["ऑ", "ॉ"],
  },
  signs: { M: "ं", "~": "ँ", H: "ः", Z: "ऽ", "|": "।", "||": "॥", "'": "" },
  first: {},
  killer: "्",
  killsLast: false,
};

const TAMIL: Layout = {
  consonants: {
    k: "க", g: "க", ng: "ங", c: "ச", ch: "ச", s: "ஸ", j: "ஜ", nj: "ஞ", T: "ட", D: "ட", N: "ண",
    t: "த", th: "த", d: "த", dh: "த", n: "ன", w: "ந", nt: "ந்த", nth: "ந்த", nd: "ந்த", ndh: "ந்த",
    p: "ப", b: "ப", m: "ம", y: "ய", r: "ர", l: "ல", v: "வ", z: "ழ", zh: "ழ", L: "ள", R: "ற",
    sh: "ஷ", S: "ஷ", h: "ஹ", x: "க்ஷ", f: "ஃப",
  },
  vowels: {
    a: ["அ", ""], aa: ["ஆ", "ா"], A: ["ஆ", "ா"], i: ["இ", "ி"], ii: ["ஈ", "ீ"], I: ["ஈ", "ீ"],
    u: ["உ", "ு"], uu: ["ஊ", "ூ"], U: ["ஊ", "ூ"], e: ["எ", "ெ"], ee: ["ஏ", "ே"], E: ["ஏ", "ே"], ai: ["ஐ", "ை"],
    o: ["ஒ", "ொ"], oo: ["ஓ", "ோ"], O: ["ஓ", "ோ"], au: ["ஔ", "ௌ"],
  },
  signs: { q: "ஃ", "'": "" },
  first: { n: "ந" },
  killer: "்",
  killsLast: true,
};

/** By script. */
export const LAYOUTS: Readonly<Record<string, Layout>> = { Deva: DEVANAGARI, Taml: TAMIL };

/** Takes the vowel out of the consonant before it, also where a word ends. */
export const KILL = "^";
