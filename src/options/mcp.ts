/** What `createMcpServer(index, options)` takes. */
export interface McpOptions {
  /** Whether there is a tool that adds. Default false: there is. */
  readonly: boolean;
  /** What the index holds, for the model that chooses among tools. Default `the index`. */
  description: string;
  /** Largest `k`. Default 100. */
  maxHits: number;
}

/** Defaults of {@link McpOptions}. */
export const mcpDefaults: McpOptions = { readonly: false, description: 'the index', maxHits: 100 };
