import { describe, expect, it } from 'vitest';
import { analyzeQuery, documentTermsOf, indexedTermsOf } from '../../src/analysis/analyze.js';
import { detectLanguage } from '../../src/analysis/detect-language.js';
import { isExactForm } from '../../src/analysis/exact-forms.js';
import { checkLanguage, languageCode, languages } from '../../src/analysis/languages.js';
import { unpackTerms } from '../../src/analysis/packed-terms.js';
import { stemmerOf } from '../../src/analysis/stemmers.js';
import { TermPacker } from '../../src/analysis/term-packer.js';
import {
  analysisFromSetting,
  analysisToSetting,
  languageOfDocument,
  queryLanguages,
} from '../../src/analysis/text-analysis.js';

/** Forms of one word in each language, of which the stemmer has to make one stem. */
const forms: Readonly<Record<string, readonly string[]>> = {
  ar: ['كتاب', 'الكتاب'],
  da: ['hus', 'huset', 'husene'],
  de: ['Häuser', 'Haus', 'Hauses', 'Häusern'],
  el: ['δρόμος', 'δρόμοι', 'δρόμους'],
  es: ['camino', 'caminos'],
  fi: ['talo', 'talot', 'talossa'],
  fr: ['cheval', 'chevaux'],
  hu: ['ház', 'házak', 'házban'],
  it: ['treno', 'treni'],
  nl: ['boeken', 'boek'],
  no: ['huset', 'husene', 'hus'],
  pt: ['menino', 'meninos'],
  ro: ['copil', 'copilul'],
  ru: ['дорога', 'дороги', 'дорогами'],
  sv: ['bil', 'bilar', 'bilarna'],
  tr: ['kitap', 'kitaplar'],
  uk: ['дорога', 'дороги'],
};

describe('languages', () => {
  it('have unique codes, English first, and at least 18 stemmers', () => {
    expect(languages[0]?.code).toBe('en');
    expect(new Set(languages.map(({ code }) => code)).size).toBe(languages.length);
    expect(languages.length).toBeLessThan(256);
    expect(languages.filter(({ stemmer }) => stemmer !== undefined).length).toBeGreaterThanOrEqual(18);
  });

  it('are named by tags, and unknown ones refused with the list', () => {
    expect(['de', 'DE', 'pt-BR', 'nb_NO', 'zh-Hant', 'german', 'x', ''].map(languageCode)).toEqual([
      ...['de', 'de', 'pt', 'no', 'zh', undefined, undefined, undefined],
    ]);
    expect(checkLanguage('open', 'language', 'auto')).toBe('auto');
    for (const wrong of ['xx', 'german', 7, null]) {
      expect(() => checkLanguage('open', 'language', wrong)).toThrowError(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', hint: expect.stringContaining('de, el, es') }),
      );
    }
  });
});

describe('indexedTermsOf', () => {
  it.each(Object.entries(forms))('gives the forms of a word one term: %s', (code, words) => {
    const [stem, ...others] = words.map((word) => indexedTermsOf(word, code).at(-1));
    expect(new Set(others)).toEqual(new Set([stem]));
  });

  it('has a stemmer behind every language, and marks in no stem', () => {
    for (const { code } of languages) {
      for (const word of ['élèves', 'дорогами', 'books', '東京']) {
        for (const term of indexedTermsOf(word, code)) expect(term).not.toMatch(/\p{M}|[éè]/u);
      }
      expect(typeof stemmerOf(code).isStopWord('the')).toBe('boolean');
    }
  });

  it('splits elided articles from their words, and keeps names, numbers and other scripts', () => {
    expect(indexedTermsOf("l'été d’hiver", 'fr')).toEqual(['l', 'ete', 'd', 'hiv']);
    expect(indexedTermsOf('C++ 1.2 東京', 'de')).toEqual(indexedTermsOf('C++ 1.2 東京'));
    expect(indexedTermsOf('running в лесах', 'ru')).toEqual(['run', 'в', 'лес']);
    expect(new Set(indexedTermsOf('ISPARTA ısparta', 'tr')).size).toBe(1);
    expect(indexedTermsOf('İstanbul istanbul', 'tr')).toEqual(['istanbul', 'istanbul']);
    expect(indexedTermsOf('abandonați abandonaţi', 'ro')).toHaveLength(2);
    expect(new Set(indexedTermsOf('abandonați abandonaţi', 'ro')).size).toBe(1);
  });
});

describe('documentTermsOf', () => {
  it('adds the exact forms of words that differ from their stems, without marks', () => {
    expect(documentTermsOf('Häuser, Haus', 'de')).toEqual(['haus', '\uE001hauser', 'haus']);
    expect(documentTermsOf('C++ 1.2 東京', 'de')).toEqual(indexedTermsOf('C++ 1.2 東京', 'de'));
    for (const text of ['Running houses', 'Häuser \uD800 laufen']) {
      expect(documentTermsOf(text)).toEqual(indexedTermsOf(text));
      for (const { code } of languages) {
        const terms = documentTermsOf(text, code);
        expect(terms.filter((term) => !isExactForm(term))).toEqual(indexedTermsOf(text, code));
        expect(terms.every((term) => term.isWellFormed())).toBe(true);
      }
    }
  });

  it('is what is packed for documents', () => {
    const packer = new TermPacker();
    const text = 'Die Häuser der Stadt brannten, und running houses auch. L’été des élèves.';
    const used = ['de', 'fr', 'ru', 'en', 'tr'];
    for (const [key, code] of used.entries()) packer.add(key + 1, text, code);
    const { dictionary, starts, terms, lengths } = unpackTerms(packer.take());
    for (const [place, code] of used.entries()) {
      const entries = Array.from(terms).slice(starts[place], starts[place + 1]);
      const own = entries.map((term) => dictionary[term]);
      expect(new Set(own)).toEqual(new Set(documentTermsOf(text, code)));
      expect(lengths[place]).toBe(documentTermsOf(text, code).length);
    }
  });
});

describe('analyzeQuery in other languages', () => {
  it('drops the stop words of the language, unless there is nothing else', () => {
    expect(analyzeQuery('die Häuser der Stadt', ['de']).terms).toEqual([
      'haus',
      'stadt',
      '\uE001hauser',
      '\uE001stadt',
    ]);
    expect(analyzeQuery('der die das', ['de']).terms.filter((term) => !isExactForm(term)).length).toBe(3);
    expect(analyzeQuery('el lugar de trabajo', ['es']).terms.filter((term) => !isExactForm(term))).toEqual([
      'lug',
      'trabaj',
    ]);
  });

  it('gives each word its forms in all languages of the index, which count once', () => {
    const { terms, weights } = analyzeQuery('running Häuser', ['en', 'de', 'fr']);
    expect(terms.slice(0, 2)).toEqual(['run', 'running']);
    expect(terms).toContain('haus');
    expect(terms.slice(-2)).toEqual(['\uE001running', '\uE001hauser']);
    expect(weights.filter((weight) => weight > 0)).toHaveLength(4);
    expect(weights[0]).toBe(1);
    expect(new Set(terms).size).toBe(terms.length);
  });

  it('is the query of English where all documents are', () => {
    for (const query of ['What do foxes eat?', 'C++ in the house']) {
      expect(analyzeQuery(query, ['en'])).toEqual(analyzeQuery(query));
    }
  });

  it('is limited', () => {
    const words = Array.from({ length: 5000 }, (_, at) => `Wörter${at} w${at}x`);
    expect(analyzeQuery(words.join(' '), ['en', 'de', 'ru']).terms.length).toBeLessThanOrEqual(256);
  });
});

const sentences: readonly (readonly [code: string, text: string])[] = [
  ['en', 'The quick brown fox jumps over the lazy dog.'],
  ['en', 'iPhone 12 Pro Max case'],
  ['en', 'const index = await SemanticIndex.open(directory);'],
  ['en', 'He met Angela Merkel at the café in Zürich and had a very long talk with her.'],
  ['en', ''],
  ['en', '12345 +++ ---'],
  ['de', 'Die Äpfel schmecken süß.'],
  ['de', 'Der Server wird nach jeder Änderung neu gestartet.'],
  ['fr', 'Les élèves ont terminé.'],
  ['fr', 'Ce programme affiche la liste des fichiers dans le dossier.'],
  ['es', 'El programa muestra una lista de los archivos del directorio.'],
  ['it', 'I treni partono ogni mattina.'],
  ['pt', 'Este programa não pode ser executado com essas opções.'],
  ['nl', 'Dit programma kan niet worden uitgevoerd met deze opties.'],
  ['sv', 'Det här programmet kan inte köras med dessa flaggor och filer.'],
  ['da', 'Dette program kan ikke køres af andre brugere på systemet.'],
  ['fi', 'Ohjelma ei ole vielä valmis, mutta se voi toimia.'],
  ['hu', 'Ez a program nem futtatható, ha az állomány hiányzik.'],
  ['pl', 'Program nie może być uruchomiony przez tego użytkownika.'],
  ['tr', 'Bu program dosyaları listelemek için kullanılır.'],
  ['ro', 'Acest program nu poate fi rulat fără fișierul de configurare.'],
  ['ru', 'Врач прописал таблетки.'],
  ['uk', 'Програма не може бути запущена без цього файла і його копії.'],
  ['bg', 'Програмата не може да се изпълни без файла.'],
  ['el', 'Το πρόγραμμα δεν μπορεί να εκτελεστεί.'],
  ['hi', 'यह पुस्तक बहुत अच्छी है और सब के लिए है।'],
  ['ar', 'هذا الكتاب مفيد جدا'],
  ['en', '東京は日本の首都です。'],
];

describe('detectLanguage', () => {
  it.each(sentences)('finds %s in: %s', (code, text) => {
    expect(detectLanguage(text)).toBe(code);
    expect(detectLanguage(text)).toBe(detectLanguage(`${text}`));
  });

  it('reads the beginning of a text alone', () => {
    const english = 'The words of this text are all English, as you can see. '.repeat(12);
    expect(detectLanguage(english + 'Der Rest ist nicht auf Englisch und wird nicht gelesen. '.repeat(1000))).toBe(
      'en',
    );
  });
});

describe('the analysis of an index', () => {
  it('survives its setting, and is that of English for a damaged one', () => {
    for (const analysis of [{ language: 'de' }, { language: 'auto', field: 'meta.lang' }]) {
      expect(analysisFromSetting(analysisToSetting(analysis))).toEqual(analysis);
    }
    for (const wrong of ['', '{', '7', '{"language":"xx"}'])
      expect(analysisFromSetting(wrong)).toEqual({ language: 'en' });
  });

  it('takes the language of a document from its metadata, then from the index, then from its text', () => {
    const text = (): string => 'Die Äpfel schmecken süß.';
    const field = 'meta.lang';
    expect(languageOfDocument({ language: 'auto', field }, text, '{"meta":{"lang":"fr-CA"}}')).toBe('fr');
    expect(languageOfDocument({ language: 'auto', field }, text, '{"meta.lang":"nl"}')).toBe('nl');
    expect(languageOfDocument({ language: 'auto', field }, text, '{"meta":7}')).toBe('de');
    expect(languageOfDocument({ language: 'es', field }, text, null)).toBe('es');
    expect(queryLanguages({ language: 'es' }, ['de'])).toEqual(['es']);
    expect(queryLanguages({ language: 'auto' }, ['de', 'en'])).toEqual(['en', 'de']);
    expect(queryLanguages({ language: 'es', field }, ['de'])).toEqual(['es', 'de']);
  });
});
