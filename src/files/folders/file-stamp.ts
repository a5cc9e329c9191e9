import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';

/** Age from which on a change would have another time, in nanoseconds: file systems with whole seconds need more. */
const settled = { fine: 100_000_000n, coarse: 3_000_000_000n };
const second = 1_000_000_000n;

/**
 * Times and size of a file, with the settings that it is read with. Two equal stamps mean an unchanged file, as for git's index: every
 * change sets the time of the change of the file, which programs cannot choose. Undefined for a file that has changed so recently
 * that its next change may have the same time, and for one that cannot be examined.
 */
export async function stampOf(path: string, settings: string): Promise<string | undefined> {
  try {
    const { mtimeNs, ctimeNs, size, ino } = await stat(path, { bigint: true });
    const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
    const age = BigInt(Date.now()) * 1_000_000n - newest;
    const isCoarse = mtimeNs % second === 0n && ctimeNs % second === 0n;
    if (age < (isCoarse ? settled.coarse : settled.fine)) return undefined;
    const facts = [mtimeNs, ctimeNs, size, ino, settings].join(' ');
    return createHash('sha256').update(facts).digest('base64url').slice(0, 22);
  } catch {
    return undefined;
  }
}
