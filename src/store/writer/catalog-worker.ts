import { parentPort, workerData } from 'node:worker_threads';
import { SemanticIndexError } from '../../errors.js';
import { Catalog } from '../catalog/catalog.js';
import { whileWanted } from '../sqlite/cancelling.js';
import { fromSqliteError } from '../sqlite/sqlite-error.js';
import { type CallMessage, type ErrorParts, type ReplyMessage, transferable } from './catalog-messages.js';
import { type CatalogTargets, callTarget, targetsOf } from './catalog-targets.js';
import type { CatalogThreadData } from './catalog-thread.js';

// The body of a catalog thread: answers calls in the order in which they arrive. Later calls may overtake one that waits for
// native work (a build).

const port = parentPort as NonNullable<typeof parentPort>;
const { catalog: options } = workerData as CatalogThreadData;
let targets: CatalogTargets | undefined;
let running = 0;
let closing = false;

async function answer({ call, target, method, args, flag }: CallMessage): Promise<void> {
  running++;
  try {
    targets ??= targetsOf(Catalog.open(options), () => Catalog.open({ ...options, readonly: true }));
    const current = targets;
    current.catalog.requireSameFile();
    const returned = whileWanted(flag, () => callTarget(current, target, method, args));
    const result = returned instanceof Promise ? await returned : returned;
    port.postMessage({ call, result } satisfies ReplyMessage, transferable(result));
  } catch (error) {
    port.postMessage({ call, error: partsOf(fromSqliteError(error)) } satisfies ReplyMessage);
  } finally {
    running--;
    endWhenIdle();
  }
}

function partsOf(error: unknown): ErrorParts {
  const typed = SemanticIndexError.is(error)
    ? error
    : new SemanticIndexError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
  const { code, message, hint, details } = typed;
  return { code, message, hint, details, stack: error instanceof Error ? error.stack : undefined };
}

function endWhenIdle(): void {
  if (!closing || running > 0) return;
  targets?.reads.close();
  targets?.catalog.close();
  port.close();
}

port.on('message', (message: CallMessage | null) => {
  if (message === null) {
    closing = true;
    endWhenIdle();
  } else {
    void answer(message);
  }
});
