import { runCommand } from './command.js';

// node dist/crash-test/main.js --help
const controller = new AbortController();
process.once('SIGINT', () => controller.abort(new Error('Interrupted')));
process.exitCode = await runCommand(process.argv.slice(2), {
  print: (line) => void process.stdout.write(`${line}\n`),
  report: (line) => void process.stderr.write(`${line}\n`),
  signal: controller.signal,
});
