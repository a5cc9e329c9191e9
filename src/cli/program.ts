import { readFileSync } from 'node:fs';
import { Command, type CommanderError } from 'commander';
import { SemanticIndexError } from '../index.js';
import { addAdd } from './commands/add.js';
import { addCompletion } from './commands/completion.js';
import { addCrashTest } from './commands/crash-test.js';
import { addDedupe } from './commands/dedupe.js';
import { addDoctor } from './commands/doctor.js';
import { addDelete, addList } from './commands/documents.js';
import { addEvaluate } from './commands/evaluate.js';
import { addFacets } from './commands/facets.js';
import { addFind } from './commands/find.js';
import { addGet } from './commands/get.js';
import { addInit } from './commands/init.js';
import { addPlan } from './commands/plan.js';
import { addRenamed } from './commands/renamed.js';
import { addSalvage } from './commands/salvage.js';
import { addSearch, addSimilar } from './commands/search.js';
import { addMcp } from './commands/serve/mcp.js';
import { addServe } from './commands/serve/serve.js';
import { addSuggest } from './commands/suggest.js';
import { addBackup, addCopy, addExport, addImport } from './commands/transfer.js';
import { addTrust } from './commands/trust.js';
import { addMigrate, addTune } from './commands/tune.js';
import { addOptimize, addRebuild, addStats, addValidate } from './commands/upkeep.js';
import { exitCodes } from './exit-codes.js';
import { Terminal } from './terminal.js';

const commands = [
  addInit,
  addAdd,
  addPlan,
  addSearch,
  addFind,
  addSimilar,
  addSuggest,
  addFacets,
  addGet,
  addList,
  addDelete,
  addDedupe,
  addStats,
  addValidate,
  addOptimize,
  addRebuild,
  addTune,
  addEvaluate,
  addMigrate,
  addCopy,
  addExport,
  addImport,
  addBackup,
  addSalvage,
  addServe,
  addMcp,
  addTrust,
  addCrashTest,
  addDoctor,
  addCompletion,
  addRenamed,
];

const afterHelp = `
Begin:
  $ semantic-index add my-index docs
  $ semantic-index search my-index "how do I get my money back?"
  $ semantic-index find "where are passwords checked?" src

Exit codes:
  0 done   1 failed   2 wrong use or input   3 found damage or something missing   4 no such index, document or model
  5 another process holds the lock   6 a package or the addon is not installed   130 Ctrl-C   143 terminated`;

/**
 * The command line as a tree of commands. `forPrograms`: also what is wrong about the words themselves is said as JSON.
 */
export function makeProgram(forPrograms = false): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const program = new Command('semantic-index')
    .description('Embedded semantic search.')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(see --help)')
    .configureHelp({ showGlobalOptions: false, helpWidth: 110 })
    .addHelpText('after', afterHelp)
    .exitOverride((error) => {
      if (error.exitCode === 0) process.exit(exitCodes.done);
      if (forPrograms) new Terminal({ json: true }).fail(wrongUse(error));
      process.exit(exitCodes.wrongUse);
    });
  // With --json, stderr gets one JSON value for usage errors as well.
  if (forPrograms) program.configureOutput({ outputError: () => {} }).showHelpAfterError(false);
  for (const add of commands) add(program);
  return program;
}

function wrongUse({ message }: CommanderError): SemanticIndexError {
  const hint = 'See the flags and arguments of the command with --help.';
  return new SemanticIndexError('INVALID_ARGUMENT', message.replace(/^error: /, ''), { hint });
}
