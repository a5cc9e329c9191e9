import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { DuplicateScorer } from '../../../src/analysis/likeness/duplicate-scorer.js';
import { loadWordKnowledge } from '../../../src/embed/bundled/bundled-provider.js';
import { defaultThresholds } from '../../../src/options.js';

const enough = defaultThresholds.probability;
let scorer: DuplicateScorer;

beforeAll(async () => {
  scorer = new DuplicateScorer(await loadWordKnowledge());
});

describe('DuplicateScorer', () => {
  it.each([
    ['How do I cancel my subscription?', 'How can I cancel my subscription?'],
    ['Pelham desk lamp LED dimmable USB', 'Pelham dimmable LED desk lamp with USB port'],
    ['Toliver USB-C to HDMI cable 2 m', '2 m cable USB-C to HDMI by Toliver'],
    ['A Python package for reading PDF files', 'Python package for reading PDF files'],
    ['The meeting was moved from Monday to Friday.', 'The meeting has been moved from Monday to Friday.'],
    ['Alder oak dining table 180 x 90 cm', 'Alder dining table, oak, 180x90'],
    ['The price is 1,000 dollars per month', 'The price is 1000 dollars per month'],
    ['What is the capital of Canada?', 'What is the capital city of Canada?'],
    ['A Model Context Protocol server for reading PDF files', 'MCP server for reading PDF files'],
    ['What is the default payment method?', 'What is the default payment mehotd?'],
    ['This river is the longest in Africa.', 'Which river is the longest in Africa?'],
    ['The rent is due on the 1st of each month.', 'The rent is due on the first of each month.'],
    ['Which president of the US signed the treaty?', 'Which president of the United States signed the treaty?'],
    ['How tall is the Eiffel Tower?', 'What is the height of the Eiffel Tower?'],
    ['How do I undo the last commit in git?', 'Is there a way to undo the last commit in git?'],
    ['What is the difference between TCP and UDP?', 'What is the difference between UDP and TCP?'],
    ['What is the best laptop below 1000 dollars?', "What's the best laptop below $1000?"],
    ['Inflation rose to 5 percent in July.', 'In July, inflation rose to 5%.'],
    ['Brenta PX-4100 inkjet printer, wireless', 'Brenta PX4100 wireless inkjet printer'],
    ['The committee approved the budget on Thursday.', 'The budget was approved by the committee on Thursday.'],
    ['Roasted coffee beans 1 kg', 'Roasted coffee beans 1000 g'],
    ['🎉 A sharable configuration of ESLint', 'A sharable configuration of ESLint'],
    ['The fee is 10 US dollars per month', 'The fee is $10 per month'],
    ['The fee is US$10 per month', 'The fee is 10 dollars per month'],
    ['JOIN US FOR THE FREE WEBINAR ON MONDAY MORNING', 'Join us for a free webinar on Monday morning'],
    ['Hello, how can I reset my router?', 'Please, how do I reset my router?'],
    ['How far is it from London to Paris?', 'What is the distance between London and Paris?'],
    ['Rated ★★★★☆ by readers', 'Rated 4 stars by readers'],
  ])('takes %j and %j for duplicates', (a, b) => {
    expect(scorer.compare(a, b)).toBeGreaterThanOrEqual(enough);
  });

  it.each([
    ['a greeting that is a name', 'Hello Kitty backpack', 'Kitty backpack'],
    ['a word of a title', 'Hey Jude', 'Jude'],
    ['a currency', 'It costs A$10 a month', 'It costs $10 a month'],
    ['a rating', 'Rated ★★★★★ by readers', 'Rated ★ by readers'],
    ['empty stars', 'Rated ★★★★★', 'Rated ★★★☆☆'],
    ['punctuation alone', '!!!???', '...---'],
    ['punctuation and a sign', '...', '-'],
    ['a number', 'Samdell laptop charger 65 W', 'Samdell laptop charger 45 W'],
    ['a negation', 'Patients must not take the medicine with milk.', 'Patients must take the medicine with milk.'],
    ['a direction', 'Toliver USB-C to HDMI cable 2 m', 'Toliver HDMI to USB-C cable 2 m'],
    ['a person or a time', 'Who painted the Sistine Chapel?', 'When was the Sistine Chapel painted?'],
    ['what they ask for', 'Which country hosted the games in Seoul?', 'Which year were the games held in Seoul?'],
    [
      'which of two they ask for',
      'What is the first name of the author of Emma?',
      'What is the last name of the author of Emma?',
    ],
    ['which side a hyphen joins', 'German-Polish dictionary for travelers', 'Polish-German dictionary for travelers'],
    ['a part', 'Mistral tower fan 90 cm with remote control', 'Remote control for Mistral tower fan 90 cm'],
    ['an order', 'The tenant pays the landlord every month.', 'The landlord pays the tenant every month.'],
    ['a name', 'What is the state motto of Arizona?', 'What is the state motto of Montana?'],
    ['a rare word', 'Is Kleefstra syndrome inherited?', 'Is Schindler syndrome inherited?'],
    ['a sign', 'The refund is €100 today', 'The refund is $100 today'],
    ['a language', 'A parser for C', 'A parser for C++'],
    ['a unit', 'Heat the oven to 200 degrees Celsius.', 'Heat the oven to 200 degrees Fahrenheit.'],
    ['a letter', 'Laurent maple syrup, Grade A, 250 ml', 'Laurent maple syrup, Grade B, 250 ml'],
    ['how much they ask for', 'How do I boil an egg?', 'How long does it take to boil an egg?'],
    ['who did it', 'The hawk was chased by the crow.', 'The crow was chased by the hawk.'],
    ['what follows a name', 'GNU C++ compiler for mips architecture', 'GNU C++ compiler for mipsel architecture'],
    ['when it was', 'Born in 1962 in Leeds', 'Born in 1963 in Leeds'],
    ['a prefix', 'Ellery baby wipes scented 6 x 64', 'Ellery baby wipes unscented 6 x 64'],
    ['an opposite', 'How do I turn notifications off?', 'How do I turn notifications on?'],
    ['a part', 'Compression library (development files)', 'Compression library (documentation)'],
    [
      'words of a script without spaces, though not in their letters',
      'ต้องการเปลี่ยนที่อยู่สำหรับจัดส่งสินค้า',
      'ต้องการยกเลิกการสั่งซื้อสินค้า',
    ],
  ])('keeps texts apart that differ in %s', (_, a, b) => {
    expect(scorer.compare(a, b)).toBeLessThan(enough);
  });

  const word = fc.constantFrom(...'the a cat dog 5 7 not to from for red Berlin Ann 東 京 €'.split(' '));
  const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));

  it('is symmetric, a probability, and 1 for the same words only', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const probability = scorer.probability(scorer.read(a), scorer.read(b));
        expect(probability).toBe(scorer.probability(scorer.read(b), scorer.read(a)));
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThan(1);
        expect(scorer.compare(a, a.toUpperCase())).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  it('finds no duplicates among random pairs of other scripts', () => {
    const scripts = [
      [0x430, 32],
      [0xac00, 2000],
      [0x3b1, 24],
      [0x4e00, 3000],
    ] as const;
    const letters = fc.constantFrom(...scripts).chain(([first, count]) =>
      fc
        .array(
          fc
            .array(fc.integer({ min: first, max: first + count }), { minLength: 2, maxLength: 8 })
            .map((codes) => String.fromCharCode(...codes)),
          { minLength: 4, maxLength: 12 },
        )
        .map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(letters, letters, (a, b) => a === b || scorer.compare(a, b) < 0.3),
      { numRuns: 1000 },
    );
  });

  it('reads long texts, lone surrogates and runs of one letter within a fraction of a second', () => {
    const long = Array.from({ length: 20_000 }, (_, at) => `word${at % 977} and the ${at % 31}`).join(' ');
    const began = performance.now();
    expect(scorer.compare(long, `${long} end`)).toBeGreaterThan(enough);
    expect(scorer.compare('a'.repeat(100_000), 'b'.repeat(100_000))).toBeLessThan(enough);
    expect(scorer.compare('1'.repeat(100_000), '2'.repeat(100_000))).toBeLessThan(enough);
    expect(scorer.compare('\ud800 x', 'y \udc00')).toBeLessThan(enough);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
