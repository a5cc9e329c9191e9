// node faulted-program.mjs FOLDER STATE FIRST STRIDE ERRNO LENGTH LAST: runs the script under the shim for n = FIRST,
// FIRST + STRIDE … until no fault is left to give or n is past LAST, and prints a line of JSON for each.
import { mkdirSync, rmSync } from 'node:fs';
import { FaultState } from './fault-state.mjs';
import { runScript } from './faulted-script.mjs';

const [folder, path, first, stride, errno, length, last] = process.argv.slice(2);
const state = new FaultState(path);
for (let n = Number(first); n <= Number(last); n += Number(stride)) {
  const place = `${folder}/${n}`;
  mkdirSync(place);
  process.stdout.write(`{"n":${n},`);
  state.arm(n, Number(errno), Number(length));
  let given = 0;
  const { outcomes, faults } = await runScript(place, async () => {
    given ||= state.faults;
    state.disarm();
  });
  process.stdout.write(
    `"call":${JSON.stringify(state.last)},"given":${given},"outcomes":${JSON.stringify(outcomes)},"faults":${JSON.stringify(faults)}}\n`,
  );
  rmSync(place, { recursive: true, force: true });
  if (given === 0) break;
}
state.close();
