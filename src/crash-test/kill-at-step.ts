import { subscribe } from 'node:diagnostics_channel';

// Preloaded (--import) into every thread of a writer: kills the process when a step is taken for the n-th time in one thread.
// The step and n are in the query of this module's URL.

const { searchParams } = new URL(import.meta.url);
const wanted = searchParams.get('step');
let left = Number(searchParams.get('occurrence'));

subscribe('semantic-index:step', (message) => {
  if ((message as { step: string }).step === wanted && --left === 0) process.kill(process.pid, 'SIGKILL');
});
