import { SemanticIndexError } from '../index.js';
import { suggestName } from '../options.js';

/** The command that starts a server for one client, with its arguments. */
export interface ServerCommand {
  /** The name that the client shows. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** The configuration of one chat client. */
interface McpClient {
  readonly title: string;
  /** Where the configuration goes. */
  readonly place: string;
  readonly configuration: (server: ServerCommand) => string;
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);
const mcpServers = ({ name, command, args }: ServerCommand): string =>
  json({ mcpServers: { [name]: { command, args } } });

/** Clients and their formats, as their documentation describes them. */
const clients = {
  'claude-code': {
    title: 'Claude Code',
    place: 'run this command in the project; with --scope project it writes .mcp.json, for the repository',
    configuration: ({ name, command, args }) => `claude mcp add ${name} -- ${[command, ...args].map(quoted).join(' ')}`,
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    place:
      'claude_desktop_config.json: Settings, Developer, Edit Config (macOS: ~/Library/Application Support/Claude, Windows: %APPDATA%\\Claude)',
    configuration: mcpServers,
  },
  cursor: {
    title: 'Cursor',
    place: '.cursor/mcp.json in the project, or ~/.cursor/mcp.json',
    configuration: mcpServers,
  },
  vscode: {
    title: 'VS Code',
    place: '.vscode/mcp.json in the project',
    configuration: ({ name, command, args }) => json({ servers: { [name]: { type: 'stdio', command, args } } }),
  },
  codex: {
    title: 'Codex',
    place: '~/.codex/config.toml',
    configuration: ({ name, command, args }) =>
      [`[mcp_servers.${name}]`, `command = ${JSON.stringify(command)}`, `args = ${JSON.stringify(args)}`].join('\n'),
  },
  gemini: {
    title: 'Gemini CLI',
    place: '.gemini/settings.json in the project, or ~/.gemini',
    configuration: mcpServers,
  },
  windsurf: { title: 'Windsurf', place: '~/.codeium/windsurf/mcp_config.json', configuration: mcpServers },
  zed: {
    title: 'Zed',
    place: 'settings.json',
    configuration: ({ name, command, args }) => json({ context_servers: { [name]: { command, args } } }),
  },
} as const satisfies Readonly<Record<string, McpClient>>;

/** Names of the clients. */
export const mcpClients: readonly string[] = Object.keys(clients);

/** What a client is given, and where. */
export interface ClientConfiguration {
  readonly client: string;
  readonly title: string;
  readonly place: string;
  readonly configuration: string;
}

/**
 * The configurations of one client, or of all.
 *
 * @throws INVALID_ARGUMENT for an unknown client.
 */
export function clientConfigurations(client: string | true, server: ServerCommand): ClientConfiguration[] {
  if (client !== true && !mcpClients.includes(client)) {
    const meant = suggestName(client, mcpClients);
    throw new SemanticIndexError('INVALID_ARGUMENT', `--install: there is no client ${JSON.stringify(client)}`, {
      hint: `${meant === undefined ? '' : `Did you mean ${meant}? `}Name ${mcpClients.join(', ')}, or none for all.`,
    });
  }
  const wanted = client === true ? mcpClients : [client];
  return wanted.map((name) => {
    const { title, place, configuration } = clients[name as keyof typeof clients];
    return { client: name, title, place, configuration: configuration(server) };
  });
}

/** An argument as shells read it. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
