import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { describe, suggestName } from '../options/resolve-options.js';

/** A finding of Ajv with `verbose`: with the value that was refused and the schema that refused it. */
interface Finding extends FastifySchemaValidationError {
  readonly data?: unknown;
  readonly schema?: unknown;
  readonly parentSchema?: { readonly properties?: Readonly<Record<string, unknown>> };
}

type Params = Readonly<Record<string, unknown>>;

/** What was expected of a request and what came, with its place: `body.documents[0].text: expected …, got …`. */
export function schemaMessage(findings: readonly Finding[], part: string): string {
  const choices = findings.filter(({ keyword }) => keyword === 'oneOf' || keyword === 'anyOf');
  const exclusive = choices.find(({ schema }) => namesOfChoice(schema) !== undefined);
  if (exclusive !== undefined) {
    const names = namesOfChoice(exclusive.schema) as string[];
    const given = names.filter((name) => Object.hasOwn((exclusive.data ?? {}) as object, name));
    const got = given.length === 0 ? 'none' : given.join(' and ');
    return `${placeOf(part, exclusive.instancePath)}: expected exactly one of ${names.join(', ')}, got ${got}`;
  }
  // Of a value that may have one of several types, the finding of its own type says the most.
  const isWrongType = ({ keyword, instancePath }: Finding): boolean =>
    keyword === 'type' && choices.some((choice) => choice.instancePath === instancePath);
  const own = findings.find((finding) => !choices.includes(finding) && !isWrongType(finding));
  if (own !== undefined) return messageOf(own, part);
  // Where only types are wrong, the innermost value is the one that has none of its types.
  const innermost = choices.reduce<Finding | undefined>(
    (deepest, choice) => (deepest && deepest.instancePath.length >= choice.instancePath.length ? deepest : choice),
    undefined,
  );
  if (innermost === undefined) return `${part} is invalid`;
  const types = findings
    .filter((one) => isWrongType(one) && one.instancePath === innermost.instancePath)
    .map(({ params }) => String((params as Params).type));
  const place = placeOf(part, innermost.instancePath);
  return `${place}: expected ${[...new Set(types)].join(' or ')}, got ${describe(innermost.data)}`;
}

function messageOf({ keyword, instancePath, params, message, data, parentSchema }: Finding, part: string): string {
  const place = placeOf(part, instancePath);
  const { type, limit, missingProperty, additionalProperty, allowedValues, comparison } = params as Params;
  const size = Array.isArray(data) || typeof data === 'string' ? data.length : undefined;
  switch (keyword) {
    case 'type':
      return `${place}: expected ${type}, got ${describe(data)}`;
    case 'required':
      return `${place}: expected "${missingProperty}", which is missing`;
    case 'additionalProperties': {
      const known = Object.keys(parentSchema?.properties ?? {});
      const meant = suggestName(String(additionalProperty), known);
      const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
      return `${place}: "${additionalProperty}" is not known, expected ${known.join(', ')}${hint}`;
    }
    case 'enum':
      return `${place}: expected ${(allowedValues as unknown[]).map(describe).join(', ')}, got ${describe(data)}`;
    case 'minimum':
    case 'maximum':
      return `${place}: expected a number ${comparison} ${limit}, got ${describe(data)}`;
    case 'minLength':
      return `${place}: expected a text of at least ${counted(limit, 'character')}, got ${size}`;
    case 'maxLength':
      return `${place}: expected a text of at most ${limit} characters, got ${size}`;
    case 'minItems':
      return `${place}: expected at least ${counted(limit, 'entry', 'entries')}, got ${size}`;
    case 'maxItems':
      return `${place}: expected at most ${limit} entries, got ${size}`;
    default:
      return `${place} ${message}`;
  }
}

function counted(count: unknown, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** The names of a choice of which exactly one has to be there; undefined for other choices. */
function namesOfChoice(schema: unknown): string[] | undefined {
  if (!Array.isArray(schema)) return undefined;
  const names = schema.flatMap((branch: { type?: unknown; required?: readonly string[] }) =>
    branch.type === undefined ? (branch.required ?? []) : [],
  );
  return names.length === schema.length ? names : undefined;
}

/** A JSON pointer as one writes it in code. */
function placeOf(part: string, pointer: string): string {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return part + steps.map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`)).join('');
}
