/** Initials with points, as one word without. */
const initials = /(?<![\p{L}\p{N}])(?:\p{L}\.\s?){2,}(?=\s|$|[^\p{L}])/gu;
/** The sign between the sides of a size, that of a count, and that of inches. */
const betweenSizes = /(?<=\p{N}\s?)[x×](?=\s?\p{N})/giu;
const times = /(?<![\p{L}\p{N}])[x×](?=\p{N})/giu;
const inches = /(\p{N})\s?(?:"|''|”)/gu;
/** Countries whose initials stand for their name; in lower case those of the first are a pronoun. */
const unitedStates = /\b(?:US|United States(?: of America)?)\b/g;
const unitedKingdom = /\bUnited Kingdom\b/g;
const hasLowerCase = /\p{Ll}/u;
/** Dollars of countries; those of the United States are plain ones. */
const dollars = /(?<![\p{L}\p{N}])(US|AU?|CA?|HK|NZ|S)\$\s?(?=\p{N})/gu;
const currencies: Readonly<Record<string, string>> = {
  US: '$',
  A: 'AUD ',
  AU: 'AUD ',
  C: 'CAD ',
  CA: 'CAD ',
  HK: 'HKD ',
  NZ: 'NZD ',
  S: 'SGD ',
};
/** A rating: some stars of at most ten. */
const stars = /(?<![★⭐☆])(?=[★⭐☆]{2,10}(?![★⭐☆]))([★⭐]+)☆*/gu;
/** Numbers of parts: "Part II". One and five are left out, because "I" and "V" are words and names. */
const romanNumerals = /(?<=\p{L}\s)(?:II|III|IV|VI|VII|VIII|IX)\b/gu;
const romanDigits: Readonly<Record<string, string>> = {
  II: '2',
  III: '3',
  IV: '4',
  VI: '6',
  VII: '7',
  VIII: '8',
  IX: '9',
};

/** Begins where a number does, and is bounded: texts may be runs of digits. */
const amount = String.raw`(?<![\p{N}.,])(\p{N}[\p{N}.,]{0,20}(?:\s?(?:thousand|million|billion|trillion|[kmb]n?))?)`;
/** Names of units behind an amount, and the sign that says the same. */
const namedUnits: readonly (readonly [RegExp, string])[] = [
  [new RegExp(String.raw`${amount}\s?(?:(?:USA?\s)?dollars?|USD)\b`, 'giu'), '$$$1'],
  [new RegExp(String.raw`\bUSD\s?${amount}`, 'gu'), '$$$1'],
  [new RegExp(String.raw`${amount}\s?(?:euros?|EUR)\b`, 'giu'), '€$1'],
  [new RegExp(String.raw`\bEUR\s?${amount}`, 'gu'), '€$1'],
  [new RegExp(String.raw`${amount}\s?(?:per\s?cent|pct)\b`, 'giu'), '$1%'],
  [new RegExp(String.raw`${amount}\s?(?:degrees?\scelsius\b|°\sC\b)`, 'giu'), '$1°C'],
  [new RegExp(String.raw`${amount}\s?(?:degrees?\sfahrenheit\b|°\sF\b)`, 'giu'), '$1°F'],
  [new RegExp(String.raw`${amount}\s?degrees?\b`, 'giu'), '$1°'],
];
const hasDigit = /\p{N}/u;
/** Amounts in a larger unit, and how many of the smaller one they are. */
const largerUnits = /(?<![\p{N}.,])(\d{1,4}(?:\.\d{1,3})?)\s?(kg|kilograms?|l|lit(?:er|re)s?)(?![\p{L}\p{N}])/giu;

const somebody = '(?:you|someone|somebody|anyone|anybody)';
const asksSomebody = `(?:can|could|would|will) ${somebody}(?: please)?`;
const questionWords = ['how', 'what', 'why', 'when', 'where', 'who', 'which'].join('|');
const questionWord = `(${questionWords})`;
/** What a greeting stands before; elsewhere it is part of a name: "Hey Jude". */
const firstWords = `(?:${questionWords}|what's|whats|can|could|would|will|do|does|is|are|i|i'd|explain)`;
/** The same question in other words, as regular expressions of its beginning and what replaces it. */
const questions: readonly (readonly [RegExp, string])[] = [
  [new RegExp(String.raw`^(?:hi|hello|hey|please)[,!]?\s+(?=${firstWords}\b)`, 'i'), ''],
  [new RegExp(String.raw`^${asksSomebody} (?:explain|describe|show)(?: to)?(?: me| us)? ${questionWord}\b`, 'i'), '$1'],
  [new RegExp(String.raw`^(?:do|does) ${somebody} know ${questionWord}\b`, 'i'), '$1'],
  [new RegExp(String.raw`^(?:i(?:'d like| would like| want| need) to know|explain) ${questionWord}\b`, 'i'), '$1'],
  [new RegExp(String.raw`^${asksSomebody} (?:explain|define)(?: to)?(?: me)?\b`, 'i'), 'what is'],
  [/^(?:what's|whats)\b/i, 'what is'],
  [
    /^what (?:is|are|would be) (?:the|a|some) (?:(?:best|right|correct|proper|easiest|simplest|good|recommended) )?(?:possible )?(?:ways?|methods?) (?:to|of|for|that i can)\b/i,
    'how',
  ],
  [/^what (?:is|are) the (\p{L}+est) (?:ways?|methods?) (?:to|of|for)\b/iu, 'how $1'],
  [/^what (?:can|could|should|must) (?:i|you|we|one|people) do (?:to|in order to|so that i)\b/i, 'how'],
  [/^what do (?:i|you|we) (?:have|need) to do (?:to|in order to)\b/i, 'how'],
  [/^is there (?:a|any)(?: good| easy| simple)? way (?:to|of|for me to)\b/i, 'how'],
  [/^how (?:do|can|could|should|would|might|must|shall) (?:i|you|we|one|people)(?: best)?\b/i, 'how'],
  [/^how to\b/i, 'how'],
  [/^how come\b/i, 'why'],
  [/^what (?:is|are|was|were) the (?:reasons?|causes?) (?:that|why|for|of|behind)\b/i, 'why'],
  [/^what (?:makes|made|causes|caused|led to)\b/i, 'why'],
  [/^how (?:tall|high) (is|are|was)\b/i, 'what $1 the height of'],
  [/^how old (is|are|was)\b/i, 'what $1 the age of'],
  [/^how long (is|are|was)\b/i, 'what $1 the length of'],
  [/^how deep (is|are|was)\b/i, 'what $1 the depth of'],
  [/^how heavy (is|are|was)\b/i, 'what $1 the weight of'],
  [/^how (?:big|large) (is|are|was)\b/i, 'what $1 the size of'],
  [/^how fast (is|are|was)\b/i, 'what $1 the speed of'],
  [/^how far (is|are) (.+) from\b/i, 'what $1 the distance between $2 and'],
  [/^how many (?:people|inhabitants) (?:live|are there) in\b/i, 'what is the population of'],
  [/^how much (?:do|does|did|would) (.+) cost\b/i, 'what is the price of $1'],
  [/^what (?:do|does|did) (.+) (?:stand for|mean)\b/i, 'what is the meaning of $1'],
];
const beginsQuestion = /^(?:hi|hello|hey|please|can|could|would|will|do|does|i|i'd|what|what's|whats|how|is there)\b/i;

/**
 * Writes what can be written in several ways in one: initials, sizes, amounts with their units, names of two countries, and how an
 * English question begins ("What is the best way to", "How can I").
 */
export function onePhrasing(text: string): string {
  let plain = text
    .replace(initials, (run) => `${run.replace(/[.\s]/g, '')} `)
    .replace(dollars, (_, country: string) => currencies[country] ?? '$')
    .replace(stars, (_, full: string) => ` ${[...full].length} stars`)
    .replace(unitedKingdom, 'UK')
    .replace(romanNumerals, (numeral) => romanDigits[numeral] ?? numeral);
  // In a text of capitals, "JOIN US" is the pronoun.
  if (hasLowerCase.test(plain)) plain = plain.replace(unitedStates, 'USA');
  if (hasDigit.test(plain)) {
    plain = plain.replace(betweenSizes, ' ').replace(times, ' ').replace(inches, '$1 inch');
    for (const [named, sign] of namedUnits) plain = plain.replace(named, sign);
    plain = plain.replace(
      largerUnits,
      (_, value: string, unit: string) =>
        `${Math.round(Number(value) * 1000)} ${unit.startsWith('k') || unit.startsWith('K') ? 'g' : 'ml'}`,
    );
  }
  if (!beginsQuestion.test(plain)) return plain;
  for (const [beginning, one] of questions) plain = plain.replace(beginning, one);
  return plain;
}
