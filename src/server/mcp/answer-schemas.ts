import type { z as zod } from 'zod';

/** The types of the answers of the tools, which clients check. */
export function answerSchemas(z: typeof zod) {
  const id = z.union([z.string(), z.number()]);
  const metadata = z.record(z.string(), z.unknown());
  const omitted = z.array(z.string()).optional().describe('Fields of the metadata that did not fit');
  const next = z.string().optional().describe('Pass it as after for more; absent on the last page');
  const note = z.string().optional().describe('Why nothing was found: a field that no document has');
  const lines = z.string().describe('Lines of the source: "12", "12-30"');
  const pages = z.string().optional().describe('Pages of the source: "page 4", "slides 2-3"');
  const headings = z.array(z.string()).optional().describe('Headings above it, outermost first');
  const count = z.object({ value: z.unknown().optional(), count: z.number() }).loose();
  return {
    search: {
      hits: z.array(
        z.object({
          id,
          score: z.number(),
          source: z.string().optional(),
          lines: lines.optional(),
          pages,
          headings,
          text: z.string(),
          cut: z.boolean().optional().describe('The text did not fit: read the rest with get'),
          metadata,
          omitted,
        }),
      ),
      next,
      note,
      degraded: z.object({ reason: z.string(), message: z.string() }).optional(),
      reranked: z.object({ judged: z.number(), of: z.number() }).optional(),
      phrases: z
        .object({ read: z.number(), of: z.number() })
        .optional()
        .describe('Texts that were read to look for phrases: others may have them'),
    },
    get: {
      source: z.string(),
      lines,
      pages,
      headings,
      text: z.string(),
      ids: z.array(id).describe('Ids of the first 20 parts'),
      missing: z.array(z.string()).optional().describe('Lines that the index does not have'),
      metadata,
      omitted,
      next,
    },
    list: {
      sources: z.array(z.object({ source: z.string(), documents: z.number() })).optional(),
      documents: z.array(z.object({ id, begin: z.string(), characters: z.number(), metadata, omitted })).optional(),
      total: z.number().optional().describe('Sources on all pages'),
      next,
      note,
    },
    facets: {
      documents: z.number(),
      facets: z.record(z.string(), z.object({ counts: z.array(count), distinct: z.number(), missing: z.number() })),
      note,
    },
    status: {
      documents: z.number(),
      sources: z.number().describe('Files whose parts are in the index'),
      model: z.string(),
      megabytes: z.number(),
      canAdd: z.boolean(),
      fields: z.array(z.object({ field: z.string(), types: z.array(z.string()), example: z.string() })),
    },
    add: {
      ids: z.array(id),
      idsLeftOut: z.number().optional(),
      added: z.number(),
      updated: z.number(),
      unchanged: z.number(),
    },
  };
}
