/** V8 copies shorter parts of strings; a longer one is a view that keeps the whole string in memory. */
const minView = 13;

/** A copy of a part of a text that does not keep the whole text in memory. */
export function ownCopy(part: string): string {
  return part.length < minView ? part : Buffer.from(part, 'utf16le').toString('utf16le');
}
