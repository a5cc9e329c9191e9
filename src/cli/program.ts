import { readFileSync } from 'node:fs';
import { Command, type CommanderError } from 'commander';
import { SemanticIndexError } from '../errors.js';
import { addRenamed } from './commands/renamed.js';
import { exitCodes } from './exit-codes.js';
import { Terminal } from './terminal.js';

/** The commands in the order of the help. Each is loaded when it is needed: a command takes the time of its own modules. */
const commands: Readonly<Record<string, (program: Command) => Promise<void>>> = {
  init: async (program) => (await import('./commands/init.js')).addInit(program),
  add: async (program) => (await import('./commands/add.js')).addAdd(program),
  plan: async (program) => (await import('./commands/plan.js')).addPlan(program),
  search: async (program) => (await import('./commands/search.js')).addSearch(program),
  find: async (program) => (await import('./commands/find.js')).addFind(program),
  similar: async (program) => (await import('./commands/search.js')).addSimilar(program),
  suggest: async (program) => (await import('./commands/suggest.js')).addSuggest(program),
  facets: async (program) => (await import('./commands/facets.js')).addFacets(program),
  get: async (program) => (await import('./commands/get.js')).addGet(program),
  list: async (program) => (await import('./commands/documents.js')).addList(program),
  delete: async (program) => (await import('./commands/documents.js')).addDelete(program),
  dedupe: async (program) => (await import('./commands/dedupe.js')).addDedupe(program),
  stats: async (program) => (await import('./commands/upkeep.js')).addStats(program),
  validate: async (program) => (await import('./commands/upkeep.js')).addValidate(program),
  optimize: async (program) => (await import('./commands/upkeep.js')).addOptimize(program),
  rebuild: async (program) => (await import('./commands/upkeep.js')).addRebuild(program),
  tune: async (program) => (await import('./commands/tune.js')).addTune(program),
  evaluate: async (program) => (await import('./commands/evaluate.js')).addEvaluate(program),
  migrate: async (program) => (await import('./commands/tune.js')).addMigrate(program),
  copy: async (program) => (await import('./commands/transfer.js')).addCopy(program),
  export: async (program) => (await import('./commands/transfer.js')).addExport(program),
  import: async (program) => (await import('./commands/transfer.js')).addImport(program),
  backup: async (program) => (await import('./commands/transfer.js')).addBackup(program),
  salvage: async (program) => (await import('./commands/salvage.js')).addSalvage(program),
  serve: async (program) => (await import('./commands/serve/serve.js')).addServe(program),
  mcp: async (program) => (await import('./commands/serve/mcp.js')).addMcp(program),
  trust: async (program) => (await import('./commands/trust.js')).addTrust(program),
  'crash-test': async (program) => (await import('./commands/crash-test.js')).addCrashTest(program),
  doctor: async (program) => (await import('./commands/doctor.js')).addDoctor(program),
  completion: async (program) => (await import('./commands/completion.js')).addCompletion(program),
};

const afterHelp = `
Begin:
  $ semantic-index add my-index docs
  $ semantic-index search my-index "how do I get my money back?"
  $ semantic-index find "where are passwords checked?" src

Exit codes:
  0 done   1 failed   2 wrong use or input   3 found damage or something missing   4 no such index, document or model
  5 another process holds the lock   6 a package or the addon is not installed   130 Ctrl-C   143 terminated`;

/**
 * The command line as a tree of commands: the one that `words` begin with, all of them if that is none. With `--json`, what is
 * wrong about the words themselves is said as JSON too.
 */
export async function makeProgram(words: readonly string[]): Promise<Command> {
  const forPrograms = words.includes('--json');
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
  const [name = ''] = words;
  const wanted = Object.hasOwn(commands, name) ? [commands[name]] : name === '--version' ? [] : Object.values(commands);
  for (const add of wanted) await add?.(program);
  addRenamed(program);
  return program;
}

function wrongUse({ message }: CommanderError): SemanticIndexError {
  const hint = 'See the flags and arguments of the command with --help.';
  return new SemanticIndexError('INVALID_ARGUMENT', message.replace(/^error: /, ''), { hint });
}
