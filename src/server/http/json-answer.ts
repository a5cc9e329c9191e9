import { TimeSlice } from '../../time-slice.js';

const pieceLength = 65_536;

/**
 * An answer as JSON, written in slices of about a millisecond. Lists of objects are written object by object; everything else as
 * `JSON.stringify` does.
 *
 * @throws what the signal aborts with.
 */
export async function jsonInSlices(value: unknown, signal: AbortSignal): Promise<Buffer> {
  const slice = new TimeSlice();
  const pieces: Buffer[] = [];
  let text = '';
  const isFull = (): boolean => text.length >= pieceLength || slice.due();
  const endPiece = async (): Promise<void> => {
    pieces.push(Buffer.from(text));
    text = '';
    if (slice.due()) await slice.yieldIfDue(signal);
  };
  const add = async (item: unknown): Promise<void> => {
    if (isLong(item)) {
      for (const [position, member] of item.entries()) {
        text += position === 0 ? '[' : ',';
        if (isLong(member) || holdsList(member)) await add(member);
        else text += JSON.stringify(member);
        if (isFull()) await endPiece();
      }
      text += ']';
    } else if (holdsList(item)) {
      let separator = '{';
      for (const [name, member] of Object.entries(item)) {
        if (member === undefined) continue;
        text += `${separator}${JSON.stringify(name)}:`;
        await add(member);
        separator = ',';
      }
      text += '}';
    } else {
      text += JSON.stringify(item);
    }
    if (isFull()) await endPiece();
  };
  await add(value);
  pieces.push(Buffer.from(text));
  return Buffer.concat(pieces);
}

/** Whether it is a list of objects. */
function isLong(item: unknown): item is readonly unknown[] {
  return Array.isArray(item) && typeof item[0] === 'object';
}

/** Whether it is an answer with a list of hits or documents, and not one of those. */
function holdsList(item: unknown): item is Record<string, unknown> {
  return typeof item === 'object' && item !== null && ('hits' in item || 'results' in item || 'documents' in item);
}
