// node --import tsx program-runner.mjs, started by ProgramProcess: runs the programs that its parent names, one after the
// other, and reports what each printed and how it ended. What a program has changed of the process is put back after it. Ends by
// itself when the parent disconnects, unless a program left something that keeps it alive.
import { pathToFileURL } from 'node:url';

const original = { env: { ...process.env }, console: { ...console }, fetch: globalThis.fetch, cwd: process.cwd() };
let output = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  process[name].write = (chunk) => {
    output[name] += chunk.toString();
    return true;
  };
}
let programs = 0;

process.on('message', async ({ path, args, cwd, env }) => {
  output = { stdout: '', stderr: '' };
  const listeners = process.stdout.listeners('error');
  process.argv = [process.execPath, path, ...args];
  process.env = { ...original.env, ...env };
  process.chdir(cwd);
  process.exitCode = 0;
  try {
    // Each run is a module of its own; what it imports is loaded once.
    await import(`${pathToFileURL(path).href}?run=${programs++}`);
  } catch (error) {
    output.stderr += `${error instanceof Error ? error.stack : error}\n`;
    process.exitCode = 1;
  }
  const finished = { code: Number(process.exitCode), ...output };
  process.exitCode = 0;
  process.env = { ...original.env };
  process.chdir(original.cwd);
  Object.assign(console, original.console);
  globalThis.fetch = original.fetch;
  for (const listener of process.stdout.listeners('error')) {
    if (!listeners.includes(listener)) process.stdout.off('error', listener);
  }
  process.send(finished);
});
