/** Words that say what does not hold, in the languages that most texts are in. */
export const negations = new Set(
  `not no never none neither nor without cannot non except unless nicht kein keine keinen ohne nie pas sans jamais ne sin nunca não sem
  non senza niet geen zonder не нет без никогда ni nie bez inte utan ikke uten uden δεν χωρίς όχι 不 没 無 无 非 未 別 않 없 아닌`.split(
    /\s+/,
  ),
);
/** Relations between what stands before and after them. */
export const relations = new Set(
  'for with without to from in on of by at as against under over into about using via like'.split(' '),
);
/** Said of many things, and adding little to any. */
export const weakWords = new Set(
  `simple basic small tiny new very just another own awesome nice good great popular famous huge big little such called known name named
  kind type following certain various useful used use using based provides provide lightweight easy yet also well actually really about
  his her their its your our my this these that those there here some any one please following`.split(/\s+/),
);
/** Between two things whose order they state. */
export const directions = new Set(
  'to from into than before after over by of against versus vs via under above below until since nach von zu zum aus vers depuis'.split(
    ' ',
  ),
);
/** Words and abbreviations that are written in either way. */
export const sameAs = new Map(
  Object.entries({
    zero: '0',
    two: '2',
    three: '3',
    four: '4',
    five: '5',
    six: '6',
    seven: '7',
    eight: '8',
    nine: '9',
    ten: '10',
    '1st': 'first',
    '2nd': 'second',
    '3rd': 'third',
    '4th': 'fourth',
    '5th': 'fifth',
    '6th': 'sixth',
    '7th': 'seventh',
    '8th': 'eighth',
    '9th': 'ninth',
    '10th': 'tenth',
    eleven: '11',
    twelve: '12',
    centimeter: 'cm',
    centimetre: 'cm',
    millimeter: 'mm',
    millimetre: 'mm',
    meter: 'm',
    metre: 'm',
    meters: 'm',
    metres: 'm',
    kilogram: 'kg',
    gram: 'g',
    liter: 'l',
    litre: 'l',
    inches: 'inch',
    incl: 'included',
    w: 'with',
    '&': 'and',
    gray: 'grey',
    colour: 'color',
    centre: 'center',
    favourite: 'favorite',
    behaviour: 'behavior',
    neighbour: 'neighbor',
    flavour: 'flavor',
    dict: 'dictionary',
    dicts: 'dictionaries',
    movie: 'film',
    movies: 'films',
    bike: 'bicycle',
    bikes: 'bicycles',
    photo: 'picture',
    photos: 'pictures',
    pcs: 'pieces',
    litres: 'l',
    liters: 'l',
    grams: 'g',
    kilograms: 'kg',
    centimeters: 'cm',
    centimetres: 'cm',
    children: 'kids',
    child: 'kid',
    app: 'application',
    apps: 'applications',
    tv: 'television',
    lib: 'library',
    libs: 'libraries',
    config: 'configuration',
    repo: 'repository',
    db: 'database',
  }),
);
export const asked = new Map([
  ['who', 1],
  ['whom', 1],
  ['whose', 1],
  ['when', 2],
  ['where', 3],
  ['why', 4],
  ['how', 5],
]);
/** What a yes/no question asks for, and one that begins with "how much". */
export const [asksYesNo, asksHowMuch] = [6, 7];
/** Words that begin a yes/no question. */
export const yesNoWords = new Set(
  'is are was were do does did can could will would should has have had may might must shall'.split(' '),
);
/** Words behind "how" that make it ask for an amount. */
export const quantities = new Set(
  'much many long often far fast big large high tall old deep heavy soon late'.split(' '),
);

/** Auxiliaries and pronouns: another one in their place changes little. */
export const auxiliaries = new Set(
  `a an the i you we he she it they me us him them my your our do does did can could is are am was were be been being has have had may
  might will would shall should want possible there this that these those`.split(/\s+/),
);
/** Words of which each excludes the others: texts that differ by them say different things. */
const contrasts = `
  on off | up down | left right | light dark | import export | upload download | input output | encode decode | encoder decoder
  client server | open close | opens closes | start stop | start end | begin end | first last second third | before after | buy sell | small large | small big | little big | little large
  hot cold | warm cold | increase decrease | rise fall rises falls | public private | internal external | wired wireless | front back rear
  horizontal vertical | minimum maximum | min max | single double triple | sync async | enable disable enabled disabled | add remove
  create delete | win lose | wins loses won lost | male female | man woman | men women | boy girl | mother father | son daughter
  husband wife | king queen | actor actress | read write reader writer | send receive | source target | parent child | true false
  inside outside | upper lower | high low | higher lower | more less | most least | north south east west northern southern eastern western
  push pull | lock unlock | encrypt decrypt | compress decompress | serialize deserialize | mount unmount | install uninstall
  development runtime documentation | library tools | static dynamic | local remote | online offline | old new | young old | adult kids baby
  black white red green blue yellow orange purple pink brown grey beige silver gold
  monday tuesday wednesday thursday friday saturday sunday
  january february march april june july august september october november december
  linux windows macos android ios freebsd openbsd netbsd | arm arm64 x86 amd64 riscv
  english german french spanish italian portuguese dutch russian polish chinese japanese korean arabic greek turkish swedish danish norwegian
  finnish czech hungarian | python java javascript rust go ruby php perl | react vue angular svelte | mysql postgresql sqlite mongodb
  cotton wool linen silk leather polyester | steel glass oak walnut plastic ceramic aluminium | chicken beef lamb pork fish | cat dog
  morning evening | day night | summer winter | breakfast lunch dinner | treatment symptom cause | treatments symptoms causes
  income expense | profit loss | imports exports | acid base | positive negative | input inputs outputs | question answer`;
/** Numbers of the lists of contrasts that a word stands in. */
export const contrastsOf: ReadonlyMap<string, readonly number[]> = (() => {
  const found = new Map<string, number[]>();
  for (const [number, group] of contrasts.split(/\||\n/).entries()) {
    for (const word of group.trim().split(/\s+/)) found.set(word, [...(found.get(word) ?? []), number]);
  }
  return found;
})();

/** Words that single out one of many. */
export const superlatives = new Set(
  `first second third fourth fifth last only most least best worst largest smallest biggest highest lowest longest shortest oldest
  youngest greatest tallest fastest slowest deepest earliest newest latest nearest farthest current former original final main next
  previous`.split(/\s+/),
);
/** What a question that begins with a word asks for. */
export const askedThing: ReadonlyMap<string, string> = new Map([
  ['who', 'person'],
  ['whom', 'person'],
  ['whose', 'person'],
  ['when', 'year'],
  ['where', 'place'],
  ['why', 'reason'],
  ['how', 'way'],
]);
/** What kind of thing a text is about, which often goes without saying. */
export const kindWords = new Set(
  `package packages module modules library libraries tool tools toolkit toolbox framework application applications project program
  programs software plugin extension utility utilities implementation implementing implement wrapper repository code script scripts
  python javascript typescript node nodejs method technique approach algorithm system based open source written perform city town
  state country movie film show series television song book game`.split(/\s+/),
);
