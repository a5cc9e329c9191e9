import { subscribe } from 'node:diagnostics_channel';

// Preloaded (--import) into every thread of a writer. Kills the process when one thread reaches a crash point for the n-th
// time. Crash point and n are in the query of this module's URL.

const { searchParams } = new URL(import.meta.url);
const wanted = searchParams.get('crash-point');
let left = Number(searchParams.get('occurrence'));

subscribe('semantic-index:step', (message) => {
  if ((message as { step: string }).step === wanted && --left === 0) process.kill(process.pid, 'SIGKILL');
});
