// node --import tsx run-blocks.mjs RESULTS [PROGRAM DIRECTORY]...: runs each program in its directory, one after the other in
// this process, and appends a line of JSON to RESULTS for each one that ended. What a program has changed of the process
// is put back after it.
import { appendFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [results, ...rest] = process.argv.slice(2);
const original = { env: { ...process.env }, console: { ...console }, fetch: globalThis.fetch };
let output = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  const write = process[name].write.bind(process[name]);
  process[name].write = (chunk, ...more) => {
    output[name] += chunk.toString();
    return write(chunk, ...more);
  };
}

for (let at = 0; at < rest.length; at += 2) {
  const [program, directory] = rest.slice(at, at + 2);
  output = { stdout: '', stderr: '' };
  process.chdir(directory);
  let error = '';
  try {
    await import(pathToFileURL(program).href);
  } catch (cause) {
    error = cause instanceof Error ? `${cause.stack}` : `${cause}`;
  }
  process.env = { ...original.env };
  Object.assign(console, original.console);
  globalThis.fetch = original.fetch;
  appendFileSync(results, `${JSON.stringify({ program, error, ...output })}\n`);
}
