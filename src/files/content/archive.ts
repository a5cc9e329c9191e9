import { type UnzipFileInfo, unzipSync } from 'fflate';
import { invalidFile, tooLarge } from './invalid-file.js';

/** Max. bytes of all entries that are unpacked: Office files are compressed about ten times, bombs a thousand times. */
const maxUnpackedBytes = 256_000_000;
const maxEntries = 20_000;

/**
 * The wanted entries of a ZIP archive. Entries are unpacked into the size that the archive states, so a wrong size
 * cannot fill the memory.
 *
 * @throws INVALID_FILE when it is damaged, TOO_LARGE when the entries are too large together.
 */
export function unpack(bytes: Uint8Array, wanted: (name: string) => boolean): Map<string, Uint8Array> {
  let [unpacked, entries] = [0, 0];
  const filter = ({ name, originalSize, size }: UnzipFileInfo): boolean => {
    if (++entries > maxEntries) throw tooLarge(`it has more than ${maxEntries.toLocaleString('en')} parts`);
    if (!wanted(name)) return false;
    unpacked += Math.max(originalSize, size);
    if (unpacked > maxUnpackedBytes) {
      throw tooLarge(`it unpacks to more than ${maxUnpackedBytes.toLocaleString('en')} bytes (${name})`);
    }
    return true;
  };
  try {
    return new Map(Object.entries(unzipSync(bytes, { filter })));
  } catch (cause) {
    if (cause instanceof Error && 'hint' in cause) throw cause;
    throw invalidFile(
      `its archive is damaged: ${(cause as Error).message}`,
      'Check that it can be opened, and save it again.',
      cause,
    );
  }
}

/** The text of an entry of XML. @throws INVALID_FILE when it is missing. */
export function xmlOf(entries: ReadonlyMap<string, Uint8Array>, name: string): string {
  const bytes = entries.get(name);
  if (bytes === undefined) {
    throw invalidFile(`it has no part ${name}`, 'Name it after its format, or save it again.');
  }
  const encoding = bytes[0] === 0xff ? 'utf-16le' : bytes[0] === 0xfe ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** The text of an entry of XML; empty if it is missing. */
export function optionalXml(entries: ReadonlyMap<string, Uint8Array>, name: string): string {
  return entries.has(name) ? xmlOf(entries, name) : '';
}

/** The path that a relationship of a part leads to: `../media/a.png` from `ppt/slides/b.xml`. */
export function resolvePart(from: string, target: string): string {
  if (target.startsWith('/')) return target.slice(1);
  const path = from.split('/').slice(0, -1);
  for (const step of target.split('/')) {
    if (step === '..') path.pop();
    else if (step !== '.' && step !== '') path.push(step);
  }
  return path.join('/');
}
