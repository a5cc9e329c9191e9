// Makes whatever a fresh clone lacks before it can run: dependencies, the compiled addon, the JavaScript in dist/ and,
// with --tests, the kernel's test programs. Says one line for each thing it makes and nothing for what is current.
// Plain Node without dependencies, because it runs before there are any.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmCommand } from './npm-command.mjs';
import { fingerprint, readStamp, removeStamp, writeStamp } from './prepare/fingerprint.mjs';
import { whyInstall, whyRebuild } from './prepare/installed-packages.mjs';
import { missingTools, oldNode } from './prepare/required-tools.mjs';
import { endCommands, runQuietly } from './prepare/run-quietly.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const withTests = process.argv.includes('--tests');
// For the kernel's test programs alone: sanitizers that stop them at the first fault, such as address,undefined.
const sanitizers = process.env.SEMANTIC_INDEX_SANITIZE ?? '';

function stop(line) {
  endCommands('SIGKILL');
  console.error(line);
  process.exit(1);
}

function tool(path, ...args) {
  return [process.execPath, [join(root, 'node_modules', path), ...args]];
}

/** A product made from files: why it has to be made again is a comparison of its stamp with what they hold now. */
function madeFrom({ inputs, skip, product, stamp, facts = [] }) {
  const target = join(root, product);
  const stampFile = join(root, stamp);
  const current = () => fingerprint(root, inputs, skip, facts);
  return {
    why() {
      if (!existsSync(target)) return `${product} is missing`;
      const made = readStamp(stampFile);
      if (made === undefined) return 'what it was made from is not known';
      return made === current() ? undefined : `${inputs[0]} has changed`;
    },
    /** What it is made from at this moment: a file that changes meanwhile may or may not be part of it. */
    current,
    before: () => removeStamp(stampFile),
    after: (made) => writeStamp(stampFile, made),
  };
}

// Products lie in native/build*; kernel/*/build holds sources.
const isBuildFolder = (name, directory) =>
  (name.startsWith('build') && directory === join(root, 'native')) || name === 'node_modules';
const platform = `${process.platform}-${process.arch}`;
const addon = madeFrom({
  inputs: ['native', 'node_modules/node-addon-api/package.json'],
  skip: (name, directory) => isBuildFolder(name, directory) || name === 'test' || name === 'fuzz',
  product: 'native/build/Release/semantic_index.node',
  stamp: 'native/build/.made-from',
  facts: [platform],
});
const library = madeFrom({
  inputs: [
    'src',
    'tsconfig.json',
    'scripts/prepare/bundle-entries.mjs',
    'scripts/prepare/entries.mjs',
    'node_modules/typescript-7/package.json',
    'node_modules/esbuild/package.json',
  ],
  product: 'dist/index.js',
  stamp: 'dist/.made-from',
});
const kernelTests = madeFrom({
  inputs: ['native'],
  skip: isBuildFolder,
  product: 'native/build-tests/CTestTestfile.cmake',
  stamp: 'native/build-tests/.made-from',
  facts: sanitizers === '' ? [platform] : [platform, sanitizers],
});
const kernelLibrary = process.platform === 'win32' ? 'Release/semantic_index_kernel.lib' : 'libsemantic_index_kernel.a';
// Without sanitizers they are linked with what the addon was linked from, made by the step before.
const kernelTestOptions =
  sanitizers === ''
    ? [
        ...['-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_CXX_FLAGS=', '-DSEMANTIC_INDEX_SANITIZE='],
        `-DSEMANTIC_INDEX_KERNEL=${join(root, 'native', 'build', kernelLibrary)}`,
      ]
    : [
        // A build type without flags of its own: -Og compiles in two thirds of the time of -O1 under sanitizers, and runs as long.
        ...['-DCMAKE_BUILD_TYPE=Sanitize', '-DCMAKE_CXX_FLAGS=-Og', '-DSEMANTIC_INDEX_KERNEL='],
        ...[`-DSEMANTIC_INDEX_SANITIZE=${sanitizers}`, '-DCMAKE_COMPILE_WARNING_AS_ERROR=ON'],
      ];
// A build that is only checked: SQLite compiles in a third of the time, and what its tests do in it takes a few per cent longer.
const checkedFlags = sanitizers === '' ? {} : { CFLAGS: '-O1', CXXFLAGS: '-O1' };
const jobs = String(os.availableParallelism?.() ?? os.cpus().length);

const install = {
  title: 'Installing dependencies',
  duration: 'less than a minute',
  why: () => whyInstall(root),
  tools: [],
  // Their scripts compile on one core for minutes: that is a step of its own, beside the others.
  commands: [npmCommand('ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund')],
  hint: (output) =>
    output.includes('EUSAGE')
      ? 'package.json has changed since package-lock.json was written: npm install brings them together.'
      : 'npm cannot install them.',
};

const dependencies = {
  title: 'Compiling dependencies',
  duration: 'about 3 minutes',
  // Asks only what is there to stay: the question loads the binary, and Windows keeps a loaded file in place.
  why: () => (whyInstall(root) === undefined ? whyRebuild(root) : 'node_modules is missing'),
  tools: ['python', 'make', 'compiler'],
  commands: [[...npmCommand('rebuild'), checkedFlags]],
  hint: () =>
    'Where a package has no binary to download it is compiled: that takes python3, make and a C++ compiler; npm must be ' +
    'allowed to run install scripts.',
};

const compileAddon = {
  ...addon,
  title: 'Compiling the addon',
  duration: 'about a minute',
  tools: ['cmake', 'make', 'compiler'],
  commands: [tool('cmake-js/bin/cmake-js', 'compile', '--directory', 'native', '--parallel', jobs)],
  hint: () => 'It takes cmake 3.21 or newer and a C++17 compiler.',
};

const compileKernelTests = {
  ...kernelTests,
  title: 'Compiling the kernel tests',
  duration: 'about a minute',
  tools: ['cmake', 'ctest', 'make', 'compiler'],
  usesPackages: false,
  commands: [
    ['cmake', ['-S', 'native', '-B', 'native/build-tests', '-DSEMANTIC_INDEX_TESTS=ON', ...kernelTestOptions]],
    ['cmake', ['--build', 'native/build-tests', '--parallel', jobs]],
  ],
  hint: () => 'It takes cmake 3.21 or newer and a C++17 compiler.',
};

/** With sanitizers the tests have a kernel of their own: they are compiled first, as packages may still be installed meanwhile. */
function nativeSteps() {
  if (!withTests) return [compileAddon];
  return sanitizers === '' ? [compileAddon, compileKernelTests] : [compileKernelTests, compileAddon];
}

/** Chains of steps: each waits for the one before it in its chain, and for the packages if it uses them. */
const sideBySide = [
  [dependencies],
  nativeSteps(),
  [
    {
      ...library,
      title: 'Building dist',
      duration: 'a few seconds',
      before() {
        // From nothing, so that a source that was renamed or removed leaves no module behind.
        rmSync(join(root, 'dist'), { recursive: true, force: true });
      },
      tools: [],
      commands: [
        tool('typescript-7/bin/tsc', '--project', '.'),
        [process.execPath, [join(root, 'scripts/prepare/bundle-entries.mjs')]],
      ],
      hint: () => 'The TypeScript sources do not compile.',
    },
  ],
];

async function make(step) {
  const why = step.why();
  if (why === undefined) return;
  console.log(`${step.title}: ${why} (${step.duration}) …`);
  const started = Date.now();
  const made = step.current?.();
  step.before?.();
  for (const [command, args, environment] of step.commands) {
    const { succeeded, reason, output } = await runQuietly(command, args, root, environment);
    if (succeeded) continue;
    process.stderr.write(`${output.trimEnd()}\n\n`);
    stop(`${step.title} failed (${[command, ...args].join(' ')}: ${reason}). ${step.hint(output)}`);
  }
  step.after?.(made);
  const left = step.why();
  if (left !== undefined)
    stop(`${step.title} failed: once it was done, ${left}. If files changed meanwhile, run it again.`);
  console.log(`${step.title}: done in ${Math.round((Date.now() - started) / 1000)} s`);
}

const nodeLine = oldNode(manifest.engines.node);
if (nodeLine !== undefined) stop(nodeLine);

// Checked before anything is built, so that a missing cmake is reported immediately.
const outOfDate = [install, ...sideBySide.flat()].filter((step) => step.why() !== undefined);
const toolsLine = missingTools(outOfDate.flatMap((step) => step.tools));
if (toolsLine !== undefined) stop(toolsLine);

const installed = make(install);
await Promise.all(
  sideBySide.map(async (chain) => {
    for (const step of chain) {
      if (step.usesPackages !== false) await installed;
      await make(step);
    }
  }),
);
