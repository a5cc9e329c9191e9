import type { Command } from 'commander';
import { salvage } from '../../index.js';
import { counted } from '../counted.js';
import { exitCodes } from '../exit-codes.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

const listed = 20;

/** `salvage`: what can be read of a damaged index, as a new one. */
export function addSalvage(program: Command): void {
  const command = program
    .command('salvage')
    .description('save the readable documents of a damaged index into a new one; exits with 3 if any are lost')
    .argument('<index>', 'directory of the damaged index; it is only read, and must not be in use')
    .argument('<target>', 'directory to create; it appears once it is complete');
  withCommonFlags(command, ['salvage damaged-index saved-index']).action(
    (folder: string, target: string, flags: CommonFlags) =>
      perform(flags, async ({ terminal, signal }) => {
        const bar = terminal.startProgress();
        const { onProgress } = bar;
        const report = await salvage(folder, target, { signal, onProgress }).finally(() => bar.stop());
        const { documents, texts, textsFile, lost, unreadable } = report;
        terminal.result(report, [
          `Saved ${counted(documents, 'document')} into ${target}.`,
          ...(textsFile === undefined
            ? []
            : [
                `The vectors of ${counted(texts, 'text')} are lost. Embed them again: semantic-index add ${target} ${textsFile}`,
              ]),
          ...lost.slice(0, listed).map(({ id, key, lost: parts }) => {
            return `lost  ${id === undefined ? `the document with the key ${key}` : JSON.stringify(id)}: ${parts.join(', ')}`;
          }),
          ...(lost.length > listed ? [`… and ${lost.length - listed} more; --json lists all.`] : []),
          ...unreadable.map(({ firstKey, lastKey }) => `unreadable  documents with the keys ${firstKey} to ${lastKey}`),
          ...(lost.length + unreadable.length === 0 ? ['Nothing is lost.'] : []),
        ]);
        return lost.length + unreadable.length === 0 ? undefined : exitCodes.findings;
      }),
  );
}
