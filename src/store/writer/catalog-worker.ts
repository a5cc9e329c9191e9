import { parentPort, workerData } from 'node:worker_threads';
import { SemanticIndexError } from '../../errors.js';
import { Catalog } from '../catalog/catalog.js';
import { whileWanted } from '../sqlite/cancelling.js';
import { fromSqliteError } from '../sqlite/sqlite-error.js';
import {
  type CallMessage,
  type CatalogTargets,
  type ErrorParts,
  type ReplyMessage,
  targetsOf,
  transferable,
} from './catalog-calls.js';
import type { CatalogThreadData } from './catalog-thread.js';

// The body of a catalog thread: answers calls in their order of arrival. A call that waits for native work (a build)
// lets later ones overtake it.

const port = parentPort as NonNullable<typeof parentPort>;
const { catalog: options } = workerData as CatalogThreadData;
let targets: CatalogTargets | undefined;
let underWay = 0;
let closing = false;

async function answer({ call, target, method, given, flag }: CallMessage): Promise<void> {
  underWay++;
  try {
    targets ??= targetsOf(Catalog.open(options));
    targets.catalog.requireSameFile();
    const callee = targets[target] as unknown as Record<string, (...given: readonly unknown[]) => unknown>;
    const running = whileWanted(flag, () => callee[method]?.(...given));
    const result = running instanceof Promise ? await running : running;
    port.postMessage({ call, result } satisfies ReplyMessage, transferable(result));
  } catch (error) {
    port.postMessage({ call, error: partsOf(fromSqliteError(error)) } satisfies ReplyMessage);
  } finally {
    underWay--;
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
  if (!closing || underWay > 0) return;
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
