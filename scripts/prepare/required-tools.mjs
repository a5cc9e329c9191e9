import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What each kind of work needs on the PATH: any one of `commands`, or a command named by one of `variables`. */
const tools = {
  compiler: { name: 'a C++17 compiler', commands: ['c++', 'g++', 'clang++'], variables: ['CXX'] },
  make: { name: 'make', commands: ['make', 'gmake', 'ninja'], variables: [] },
  cmake: { name: 'cmake', commands: ['cmake'], variables: [] },
  ctest: { name: 'ctest (part of cmake)', commands: ['ctest'], variables: [] },
  python: {
    name: 'python3 (node-gyp compiles better-sqlite3 with it when its download is out of reach)',
    commands: ['python3', 'python'],
    variables: ['PYTHON', 'npm_config_python'],
  },
};

const howToInstall = {
  linux: 'On Debian or Ubuntu: apt-get install build-essential cmake python3',
  darwin: 'On macOS: xcode-select --install, and brew install cmake python3',
  win32: 'On Windows: winget install Kitware.CMake Python.Python.3.12 Microsoft.VisualStudio.2022.BuildTools',
};

function onPath(command) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : [''];
  return (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => endings.some((ending) => existsSync(join(folder, command + ending))));
}

/** One line that says what to install, or undefined when all of `needed` (keys of `tools`) are there. */
export function missingTools(needed) {
  // Visual Studio does not put its compiler on the PATH; cmake and node-gyp find it in the registry.
  const looked = process.platform === 'win32' ? needed.filter((key) => key !== 'compiler' && key !== 'make') : needed;
  const missing = [...new Set(looked)].filter((key) => {
    const { commands, variables } = tools[key];
    return !variables.some((variable) => process.env[variable]) && !commands.some(onPath);
  });
  if (missing.length === 0) return undefined;
  const names = missing.map((key) => tools[key].name).join(', ');
  return `Missing: ${names}. ${howToInstall[process.platform] ?? 'Install it with your package manager'}`;
}

/** One line when this Node is older than `engines.node` of package.json, else undefined. */
export function oldNode(range) {
  const [wanted, actual] = [range.replace(/^[^\d]*/, ''), process.versions.node].map((v) => v.split('.').map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = actual[part] - (wanted[part] ?? 0);
    if (difference > 0) return undefined;
    if (difference < 0) return `Node ${range} is needed, this is ${process.versions.node}. Get it from nodejs.org`;
  }
  return undefined;
}
