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
  const write = async (part: string): Promise<void> => {
    text += part;
    if (text.length < pieceLength && !slice.due()) return;
    pieces.push(Buffer.from(text));
    text = '';
    if (slice.due()) await slice.yieldIfDue(signal);
  };
  const add = async (item: unknown): Promise<void> => {
    if (Array.isArray(item) && typeof item[0] === 'object') {
      for (const [position, member] of item.entries()) {
        await write(position === 0 ? '[' : ',');
        await add(member);
      }
      await write(']');
    } else if (holdsList(item)) {
      let separator = '{';
      for (const [name, member] of Object.entries(item)) {
        if (member === undefined) continue;
        await write(`${separator}${JSON.stringify(name)}:`);
        await add(member);
        separator = ',';
      }
      await write('}');
    } else {
      await write(JSON.stringify(item));
    }
  };
  await add(value);
  pieces.push(Buffer.from(text));
  return Buffer.concat(pieces);
}

/** Whether it is an answer with a list of hits or documents, and not one of those. */
function holdsList(item: unknown): item is Record<string, unknown> {
  return typeof item === 'object' && item !== null && ('hits' in item || 'results' in item || 'documents' in item);
}
