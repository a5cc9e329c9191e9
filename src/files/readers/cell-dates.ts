import { attributeOf, parseXml } from '../content/xml.js';

/** Whether the number of a cell with a style is a date, by the formats of a workbook (ECMA-376, 18.8.30). */
export function dateFormats(xml: string): (style: number) => boolean {
  const custom = new Map<number, boolean>();
  const dates: boolean[] = [];
  let inCells = false;
  parseXml(xml, {
    open: (name, attributes) => {
      if (name === 'numFmt') {
        const code = attributeOf(attributes, 'formatCode') ?? '';
        custom.set(Number(attributeOf(attributes, 'numFmtId')), isDateCode(code));
      } else if (name === 'cellXfs') inCells = true;
      else if (name === 'xf' && inCells) {
        const id = Number(attributeOf(attributes, 'numFmtId') ?? 0);
        dates.push(custom.get(id) ?? ((id >= 14 && id <= 22) || (id >= 45 && id <= 47)));
      }
    },
    close: (name) => {
      if (name === 'cellXfs') inCells = false;
    },
  });
  return (style) => dates[style] === true;
}

function isDateCode(code: string): boolean {
  return /[ymdhs]/i.test(code.replace(/"[^"]*"|\[[^\]]*\]|\\./g, '').replace(/general/i, ''));
}

/** A day number of the 1900 date system as ISO 8601; undefined if it is not a date. */
export function dateText(days: number): string | undefined {
  if (!Number.isFinite(days) || days < 0 || days > 2_958_466) return undefined;
  // The system has a 29 February 1900, which did not exist.
  const time = Date.UTC(1899, 11, days < 60 ? 31 : 30) + Math.round(days * 86_400) * 1000;
  const text = new Date(time).toISOString().replace('.000Z', '');
  if (days < 1) return text.slice(11);
  return text.endsWith('T00:00:00') ? text.slice(0, 10) : text;
}
