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
  for (const part of partsOf(value)) {
    text += part;
    const isDue = slice.due();
    if (!isDue && text.length < pieceLength) continue;
    pieces.push(Buffer.from(text));
    text = '';
    if (isDue) await slice.yieldIfDue(signal);
  }
  const last = Buffer.from(text);
  return pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
}

function* partsOf(item: unknown): Generator<string> {
  if (isLong(item)) {
    let separator = '[';
    for (const member of item) {
      yield separator;
      if (isLong(member) || holdsList(member)) yield* partsOf(member);
      else yield JSON.stringify(member);
      separator = ',';
    }
    yield ']';
  } else if (holdsList(item)) {
    let separator = '{';
    for (const [name, member] of Object.entries(item)) {
      if (member === undefined) continue;
      yield `${separator}${JSON.stringify(name)}:`;
      yield* partsOf(member);
      separator = ',';
    }
    yield '}';
  } else {
    yield JSON.stringify(item);
  }
}

/** Whether it is a list of objects. */
function isLong(item: unknown): item is readonly unknown[] {
  return Array.isArray(item) && typeof item[0] === 'object';
}

/** Whether it is an answer with a list of hits or documents, and not one of those. */
function holdsList(item: unknown): item is Record<string, unknown> {
  return typeof item === 'object' && item !== null && ('hits' in item || 'results' in item || 'documents' in item);
}
