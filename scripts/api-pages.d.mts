/** A topic of the reference, which becomes a page. */
export interface Topic {
  readonly name: string;
  readonly title: string;
  readonly values?: readonly string[];
  readonly files?: RegExp;
}

/** An export, as far as the tests look at it. */
export interface ApiEntry {
  readonly entryPoint: string;
  readonly name: string;
  readonly kind: string;
}

/** The pages by path, and what they lack. */
export interface ApiPages {
  readonly pages: ReadonlyMap<string, string>;
  readonly missing: readonly string[];
}

export declare const root: string;
export declare const topics: readonly Topic[];
export declare function apiPages(folder?: string): ApiPages;
export declare function readApi(root: string, exports: object): ApiEntry[];
export declare function renderPages(
  api: readonly ApiEntry[],
  examples: ReadonlyMap<string, string>,
  topics: readonly Topic[],
): ApiPages;
export declare function statedOutput(code: string): string[];
