import type { Command, Option } from 'commander';

/** Shells with completion. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** One of {@link shells}. */
export type Shell = (typeof shells)[number];

/**
 * What may stand at the end of a command line that begins with `words`, the last of them unfinished: commands, flags, or the
 * values of a flag. Undefined where a file or folder may stand: the shell knows those.
 */
export function completionsOf(program: Command, words: readonly string[]): string[] | undefined {
  const current = words.at(-1) ?? '';
  const [name] = words;
  const command = words.length > 1 ? program.commands.find((known) => known.name() === name) : undefined;
  const startingWith = (candidates: readonly string[]) =>
    candidates.filter((candidate) => candidate.startsWith(current));
  if (command === undefined) {
    return startingWith(
      current.startsWith('-') ? ['--help', '--version'] : program.commands.map((known) => known.name()),
    );
  }
  const options = command.options.filter((option) => !option.hidden);
  const before = options.find(({ short, long }) => [short, long].includes(words.at(-2)));
  if (before !== undefined && (before.required || before.optional)) {
    return before.argChoices === undefined ? undefined : startingWith(before.argChoices);
  }
  if (current.startsWith('-')) return startingWith([...options.map(longName), '--help']);
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return choices.length === 0 ? undefined : startingWith(choices);
}

function longName(option: Option): string {
  return option.long ?? option.flags;
}

/** A script that makes a shell ask `semantic-index complete` for what may come next. */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}

// Each script runs the command itself, so it is never out of date. No output and status 9 mean file names.
const scripts: Record<Shell, string> = {
  bash: `# semantic-index completion bash >> ~/.bashrc
_semantic_index() {
  local answer current="\${COMP_WORDS[COMP_CWORD]}"
  if answer=$(semantic-index complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null); then
    mapfile -t COMPREPLY < <(compgen -W "$answer" -- "$current")
  else
    compopt -o default; COMPREPLY=()
  fi
}
complete -F _semantic_index semantic-index`,
  zsh: `# semantic-index completion zsh >> ~/.zshrc, after compinit
_semantic_index() {
  local answer
  if answer=$(semantic-index complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null); then
    compadd -- \${(f)answer}
  else
    _files
  fi
}
compdef _semantic_index semantic-index`,
  fish: `# semantic-index completion fish > ~/.config/fish/completions/semantic-index.fish
function __semantic_index
  set -l words (commandline -opc) (commandline -ct)
  set -l answer (semantic-index complete -- $words[2..-1] 2>/dev/null)
  if test $status -eq 0
    printf '%s\\n' $answer
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c semantic-index -f -a '(__semantic_index)'`,
};
