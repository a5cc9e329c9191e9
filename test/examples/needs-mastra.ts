/**
 * Whether a program is run by scripts/check-mastra.mjs alone: @mastra/core is not a development dependency, because it would bring
 * 160 packages with 130 MB.
 */
export function needsMastra({ code }: { readonly code: string }): boolean {
  return code.includes("'semantic-index/mastra'");
}
