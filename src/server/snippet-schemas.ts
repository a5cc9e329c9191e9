const integer = { type: 'integer' } as const;

/** The option `snippet` of a search. */
export const snippetOption = {
  description: 'Return the best part of each text, with the words of the query.',
  anyOf: [
    { type: 'boolean' },
    {
      type: 'object',
      additionalProperties: false,
      properties: {
        maxTokens: { type: 'integer', minimum: 1, maximum: 100_000, description: 'Default 64.' },
        highlight: {
          type: 'array',
          description: 'What is put before and behind each matched word.',
          items: { type: 'string', maxLength: 256 },
          minItems: 2,
          maxItems: 2,
        },
      },
    },
  ],
} as const;

/** The snippet of a hit. */
export const snippetSchema = {
  type: 'object',
  description: 'The best part of the text; with "snippet": true. Offsets count UTF-16 code units, lines count from 1.',
  required: ['text', 'start', 'end', 'startLine', 'endLine', 'ranges', 'highlighted', 'basis'],
  properties: {
    text: { type: 'string' },
    start: integer,
    end: integer,
    startLine: integer,
    endLine: integer,
    ranges: {
      type: 'array',
      items: {
        type: 'object',
        properties: { start: integer, end: integer, snippetStart: integer, snippetEnd: integer },
      },
    },
    highlighted: { type: 'string', description: 'With the markers of "highlight"; not escaped.' },
    basis: { type: 'string', enum: ['words', 'meaning', 'beginning'] },
    textFields: {
      type: 'array',
      description: 'The parts of fields in the snippet, with offsets in their values.',
      items: {
        type: 'object',
        required: ['field', 'start', 'end', 'ranges'],
        properties: {
          field: { type: 'string' },
          start: integer,
          end: integer,
          ranges: { type: 'array', items: { type: 'object', properties: { start: integer, end: integer } } },
        },
      },
    },
  },
} as const;
