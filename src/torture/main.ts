import { parseArgs } from 'node:util';
import { torture } from './torture.js';

// node dist/torture/main.js FOLDER [--rounds 500] [--seed 1] [--durability full]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    durability: { type: 'string', default: 'process' },
  },
});
const report = await torture({
  directory: positionals[0] ?? '',
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  durability: values.durability === 'full' ? 'full' : 'process',
  onProgress: ({ done, total }) => {
    if (done % 10 === 0) process.stderr.write(`${done} of ${total} rounds\n`);
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(`killed ${report.rounds} writers in ${Math.round(report.milliseconds / 1000)} s:`);
for (const [where, times] of Object.entries(report.kills)) print(`  ${String(times).padStart(5)}  ${where}`);
print(`acknowledged changes of documents: ${report.acknowledged}, backups compared: ${report.backups}`);
print(`lost: ${report.lost}, resurrected: ${report.resurrected}, torn: ${report.torn}`);
for (const fault of report.faults) print(`FAULT ${fault}`);
print(report.faults.length === 0 ? 'All promises were kept.' : `${report.faults.length} faults.`);
process.exitCode = report.faults.length === 0 ? 0 : 1;
