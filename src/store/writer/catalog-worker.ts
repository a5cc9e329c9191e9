import { parentPort } from 'node:worker_threads';
import { SemanticIndexError } from '../../errors.js';
import { Catalog } from '../catalog/catalog.js';
import { whileWanted } from '../sqlite/cancelling.js';
import type { CatalogOptions } from '../sqlite/connection.js';
import { fromSqliteError } from '../sqlite/sqlite-error.js';
import {
  type CallMessage,
  type ErrorParts,
  type ReplyMessage,
  type ThreadMessage,
  transferable,
} from './catalog-messages.js';
import { type CatalogTargets, callTarget, targetsOf } from './catalog-targets.js';

// The body of a catalog thread: answers calls in the order in which they arrive. Later calls may overtake one that waits for
// native work (a build).

const port = parentPort as NonNullable<typeof parentPort>;
let options: CatalogOptions | undefined;
let targets: CatalogTargets | undefined;
let running = 0;
let closing = false;

async function answer({ call, target, method, args, flag }: CallMessage): Promise<void> {
  running++;
  try {
    targets ??= openTargets();
    const current = targets;
    current.catalog.requireSameFile();
    const returned = whileWanted(flag, () => callTarget(current, target, method, args));
    const result = returned instanceof Promise ? await returned : returned;
    port.postMessage({ call, result } satisfies ReplyMessage, transferable(result));
  } catch (error) {
    port.postMessage({ call, error: partsOf(fromSqliteError(error)) } satisfies ReplyMessage);
  } finally {
    running--;
    closeWhenIdle();
  }
}

function partsOf(error: unknown): ErrorParts {
  const typed = SemanticIndexError.is(error)
    ? error
    : new SemanticIndexError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
  const { code, message, hint, details } = typed;
  return { code, message, hint, details, stack: error instanceof Error ? error.stack : undefined };
}

function openTargets(): CatalogTargets {
  const catalog = options;
  if (catalog === undefined) throw new SemanticIndexError('INTERNAL', 'A catalog thread was called without a catalog');
  return targetsOf(Catalog.open(catalog), () => Catalog.open({ ...catalog, readonly: true }));
}

function closeWhenIdle(): void {
  if (!closing || running > 0) return;
  targets?.reads.close();
  targets?.catalog.close();
  targets = undefined;
  // A call that came now would be for a catalog that is closed.
  options = undefined;
  closing = false;
  port.postMessage(null satisfies ReplyMessage);
}

port.on('message', (message: ThreadMessage) => {
  switch (message.kind) {
    case 'open':
      options = message.catalog;
      break;
    case 'call':
      void answer(message);
      break;
    case 'close':
      closing = true;
      closeWhenIdle();
      break;
    case 'end':
      port.close();
  }
});
