// A worker thread of several-processes.ts: opens the index that the others have open, searches, and waits.
// Plain JavaScript, because Node 20 starts worker threads without the loader that reads TypeScript.
import { parentPort, workerData } from 'node:worker_threads';
import { AnnoyIndex } from 'semantic-index';

const index = await AnnoyIndex.open(workerData, { prefault: true });
for (let item = 0; item < 100; item++) index.getNnsByItem(item, 10);
parentPort.postMessage('ready');
parentPort.once('message', () => index.close());
