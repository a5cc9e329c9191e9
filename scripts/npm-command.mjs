/** The command and arguments that run npm: the one that started us, if one did, as another on the PATH may be of another Node. */
export function npmCommand(...args) {
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return [process.execPath, [script, ...args]];
  return process.platform === 'win32' ? ['cmd.exe', ['/c', 'npm', ...args]] : ['npm', args];
}
