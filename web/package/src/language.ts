// Which way a text reads, and which language it is in: told from its prose, which code, addresses and tags are no part of.

export type Direction = 'rtl' | 'ltr';

/** What is written the same in every language. Blocks of code come first: what they hold is nothing else. A match begins where a word does and is
 *  bounded, so that no text takes long. */
const NO_PROSE = [
  /^ {0,3}(`{3,20}|~{3,20})[^\n`]*\n[^]*?(?:^ {0,3}\1[`~]*[ \t]*$|(?![^]))/gmu,
  /(?<!`)(`{1,20})(?!`)[^]{1,1000}?(?<!`)\1(?!`)/gu,
  /<\/?[a-z!][^<>]{0,1000}>/giu,
  /(?<![\w+.-])[a-z][a-z\d+.-]*:\/\/[^\s<>"')\]،؛]+/giu,
  /\bwww\.[^\s<>"')\]،؛]+/giu,
  /(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gu,
  /(?<![\p{L}\p{N}])[@#][\w-]+/gu,
  /(?<![\w./-])(?:\.{0,2}\/)?(?:[\w.-]+\/)+[\w.-]*/gu,
  /(?<![\p{L}\p{N}_.-])(?:[\w-]+\.)+[a-z][a-z\d]{0,5}(?![\p{L}\p{N}])/giu,
];

/** A text without what counts in no language: blocks and spans of code, tags, addresses, paths and names of files. */
export function proseOf(text: string): string {
  return NO_PROSE.reduce((rest, pattern) => rest.replace(pattern, ' '), text);
}

const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/gu;
const LETTER = /\p{L}/gu;

/** Letters that are looked at: which way a text reads shows in its beginning, and a text may be long. */
const ENOUGH = 4000;

/**
 * The direction of the majority of a text's letters, so that "WebGPU هو معيار جديد" reads right to left. Digits, punctuation, emoji and
 * what is no prose do not count, but where there is nothing else; undefined where there is no letter at all.
 */
export function directionOf(text: string): Direction | undefined {
  const start = text.slice(0, ENOUGH);
  return majority(proseOf(start)) ?? majority(start);
}

function majority(text: string): Direction | undefined {
  const letters = text.match(LETTER)?.length ?? 0;
  if (letters === 0) return undefined;
  const rightToLeft = text.match(RIGHT_TO_LEFT)?.join('').match(LETTER)?.length ?? 0;
  return rightToLeft * 2 > letters ? 'rtl' : 'ltr';
}

export interface LanguageDetectionResult {
  detectedLanguage: string;
  /** From 0 to 1; those of all results make 1. */
  confidence: number;
}

/** Letters in Arabic's script that Arabic lacks: Persian, Urdu and others have them. */
const FOREIGN_ARABIC = /[پچژگکیےٹڈڑںھہۀۇېڭڵۆێڕ]/u;
/** Latin letters that English lacks. */
const FOREIGN_LATIN = /(?!\p{ASCII})\p{Script=Latin}/u;

/** Words that nearly every sentence of a language has, and few of the others do. */
const words = (list: string) => new Set(list.split(' '));
const ENGLISH = words('the of and to in is it you that was for are on with as at be this have from or by not but what all were we when your can an how i my thank thanks good hello where who please he she they his her will would there their do does did has had if so no yes me which about up out then them these some more');
/** Those of languages in Latin letters that are taken for English most often, without what English has too. */
const OTHER_LATIN = words(
  'le la les des du et est une un je tu il elle nous vous dans pour que qui sur avec pas ce cette mais ou où sont plus bonjour merci '
  + 'el los las y es una por para con que como pero más muy del se su al lo está hola gracias '
  + 'der das und ist ein eine nicht ich du wir ihr sie mit auf für den dem zu von auch wie bitte danke guten '
  + 'che di il gli per non sono è della con questo grazie ciao o os as não com uma você obrigado em '
  + 'het een en van ik niet je dat op zijn voor ve bir bu için ile da değil ben merhaba '
  + 'yang dan ini itu untuk tidak dengan saya',
);
const ARABIC = words('في من على إلى أن إن هذا هذه ذلك التي الذي لا ما هو هي كان مع عن قد لم لن كل أو ثم بعد قبل عند أين كيف متى هل أنا أنت نحن يا و');
/** Words of Persian and Urdu, in letters that Arabic has too. */
const OTHER_ARABIC = words('است در به از که را این با برای آن می شما هم تا بود شد اما یا سے کے کی کا میں ہے نے کو پر');
/** Arabic in Latin letters, as phones write it: digits stand for letters within words. */
const ARABIZI = /^(?=.*\p{L})(?:\p{L}|\p{L}?[2356789](?=\p{L})|(?<=\p{L})[2356789])+$/u;

/**
 * How likely a text is Arabic, English, or neither (`und`), the likeliest first. Function words decide, so that an English text with a
 * French name in it is English, and one without any word that only English has is not.
 */
export function detectLanguage(text: string): LanguageDetectionResult[] {
  const found = proseOf(text.slice(0, ENOUGH * 4)).toLowerCase().match(/[\p{L}\p{M}\p{N}’']+/gu) ?? [];
  const all = found.filter((word) => /\p{L}/u.test(word));
  if (all.length === 0) return [{ detectedLanguage: 'und', confidence: 1 }];
  const letters = all.join('').length;
  const share = (test: (word: string) => boolean) => all.filter(test).join('').length / letters;
  const isLatin = (word: string) => /\p{Script=Latin}/u.test(word);
  const isArabic = (word: string) => /\p{Script=Arabic}/u.test(word);
  const arabic = share(isArabic) * arabicness(all.filter(isArabic));
  const english = share(isLatin) * englishness(all.filter(isLatin));
  const known = [{ detectedLanguage: 'ar', confidence: arabic }, { detectedLanguage: 'en', confidence: english }];
  const rest = { detectedLanguage: 'und', confidence: 1 - arabic - english };
  return [...known, rest].filter(({ confidence }) => confidence > 0.01).sort((a, b) => b.confidence - a.confidence);
}

/** How likely words in Arabic letters are Arabic, from 0 to 0.95. */
function arabicness(words: readonly string[]): number {
  const own = words.filter((word) => ARABIC.has(word)).length;
  const foreign = words.filter((word) => OTHER_ARABIC.has(word) || FOREIGN_ARABIC.test(word)).length;
  // A name or a word of a dialect is written with such letters too.
  return foreign > own && foreign * 6 > words.length ? 0.2 : 0.95;
}

/** How likely words in Latin letters are English, from 0 to 0.95. */
function englishness(latin: readonly string[]): number {
  const part = (test: (word: string) => boolean) => latin.filter(test).length / Math.max(latin.length, 1);
  const own = part((word) => ENGLISH.has(word.replace(/[’'].*/u, '')));
  const foreign = part((word) => OTHER_LATIN.has(word) || (FOREIGN_LATIN.test(word)) || (/\d/u.test(word) && ARABIZI.test(word)));
  if (own > foreign) return 0.95;
  if (foreign > 0) return own === foreign ? 0.4 : 0.1;
  // No word tells: two or three may be a title in English, more would have one.
  return latin.length <= 3 ? 0.6 : 0.3;
}
