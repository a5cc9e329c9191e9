/** Renders the pages of the API reference. Returns their texts by path, and what is missing. */
export function renderPages(api, examples, topics) {
  const missing = [];
  const byName = new Map([...api].reverse().map((entry) => [entry.name, entry]));
  for (const entry of api) {
    const twice = api.some((other) => other !== entry && other.name === entry.name);
    entry.heading = twice ? `${entry.name} (${entry.entryPoint.split('/').at(-1)})` : entry.name;
  }
  for (const { values = [] } of topics) {
    for (const name of values) if (!byName.has(name)) missing.push(`a topic names ${name}, which is not exported`);
  }
  const topicOf = new Map(api.map((entry) => [entry, topicFor(entry, topics)]));
  const context = { api, byName, examples, missing, topicOf, codes: errorCodes(byName), shown: new Map() };
  const pages = new Map();
  for (const topic of topics) {
    context.page = topic.name;
    const own = api.filter((entry) => topicOf.get(entry) === topic);
    const values = own.filter(({ kind }) => isValue(kind));
    values.sort((a, b) => order(topic, a) - order(topic, b));
    const types = own.filter(({ kind }) => !isValue(kind)).sort((a, b) => (a.name < b.name ? -1 : 1));
    const sections = [
      ...values.map((entry) => renderValue(entry, context)),
      ...types.filter(({ name }) => !context.shown.has(name)).map((entry) => renderType(entry, context)),
    ];
    if (sections.length === 0) continue;
    const head = `# ${topic.title}\n\nPart of the [API reference](../api.md). Generated from the declarations by \`scripts/api-pages.mjs\`.\n`;
    pages.set(`docs/api/${topic.name}.md`, `${[head, ...sections].join('\n').trimEnd()}\n`);
  }
  pages.set('docs/api.md', renderIndex(context, topics));
  return { pages: new Map([...pages].map(([path, text]) => [path, wrap(text)])), missing };
}

const isValue = (kind) => kind === 'class' || kind === 'function' || kind === 'variable';

/** Where a function or class stands in its topic. */
function order({ values = [] }, { name }) {
  const place = values.indexOf(name);
  return place < 0 ? values.length : place;
}

function topicFor(entry, topics) {
  const named = topics.find(({ values }) => values?.includes(entry.name));
  if (named !== undefined) return named;
  const fitting = topics.filter(({ files }) => files?.test(entry.file.slice(entry.file.lastIndexOf('/dist/'))));
  // The topic of a folder inside another one comes later, but before the last, which takes the rest.
  return fitting.length > 1 ? fitting.at(-2) : fitting[0];
}

function errorCodes(byName) {
  return new Set(byName.get('ErrorCode')?.values ?? []);
}

function renderValue(entry, context) {
  const { name, kind, entryPoint, doc, members } = entry;
  const lines = [`## ${entry.heading}`, ''];
  lines.push(`\`import { ${name} } from '${entryPoint}'\``, '');
  if (doc !== '') lines.push(codesIn(doc, context), '');
  if (kind === 'class') {
    if (entry.extends !== '') lines.push(`\`class ${name}${entry.typeParameters} ${entry.extends}\``, '');
    const properties = members.filter(({ isMethod }) => !isMethod);
    if (properties.length > 0) lines.push(...propertyTable(properties, context), '');
    for (const member of members.filter(({ isMethod }) => isMethod)) {
      lines.push(...renderCallable(exampleOf(entry, member), `### ${titleOf(name, member)}`, member, context));
    }
    return lines.join('\n');
  }
  lines.push(...renderCallable(name, undefined, { ...entry, doc: '' }, context));
  return lines.join('\n');
}

/** The variable that the pages use for an instance. */
const instances = {
  ...{ SemanticIndex: 'index', AnnoyIndex: 'index', VectorMatrix: 'matrix', SearchServer: 'server' },
  ...{ SemanticIndexVectorStore: 'store', ProviderEmbeddings: 'embeddings', ProviderEmbedding: 'embedModel' },
};

function titleOf(owner, { name, isStatic }) {
  if (name === 'constructor') return `new ${owner}()`;
  return isStatic ? `${owner}.${name}()` : `${instances[owner] ?? owner.toLowerCase()}.${name}()`;
}

/** The name of the example of a method: Class.method, with the entry point before it where two classes have the same name. */
function exampleOf({ name, heading, entryPoint }, member) {
  const method = member.name === 'constructor' ? `new ${name}` : `${name}.${member.name}`;
  return heading === name ? method : `${entryPoint.split('/').at(-1)} ${method}`;
}

function renderCallable(title, heading, entry, context) {
  const { signature, doc, throws, params = [], options = [] } = entry;
  const lines = heading === undefined ? [] : [heading, ''];
  lines.push(...signature.split('\n').map((line) => `    ${line}`), '');
  if (doc !== '') lines.push(codesIn(doc, context), '');
  for (const param of params) lines.push(`- \`${param.replace(/^(\S+)\s*/, '$1`: ')}`);
  if (params.length > 0) lines.push('');
  for (const name of options) lines.push(...optionsOf(name, context));
  if (throws.length > 0) lines.push(`**Errors:** ${codesIn(throws.join(' '), context)}`, '');
  const example = context.examples.get(title);
  if (example === undefined) context.missing.push(`${title} has no example in examples/api`);
  else lines.push('```ts', example, '```', '');
  return lines;
}

/** The table of an options type where it is used first; afterwards a link to it. */
function optionsOf(name, context) {
  const entry = context.byName.get(name);
  if (entry === undefined || entry.members.length === 0) return [];
  const shown = context.shown.get(name);
  if (shown !== undefined) return [`Options: [${name}](${shown}.md#${anchor(name)}).`, ''];
  context.shown.set(name, context.page);
  const rows = optionRows(entry, context);
  // A group of options is shown within the table of the type that it belongs to.
  const groups = [...context.shown].filter(([, place]) => place === entry).map(([group]) => group);
  for (const group of groups) context.shown.set(group, context.page);
  const anchors = [name, ...groups].map((one) => `<a id="${anchor(one)}"></a>`).join('');
  return [`${anchors}**${name}**`, '', ...rows, ''];
}

function optionRows(entry, context, prefix = '') {
  const head = ['| option | type | default | |', '| --- | --- | --- | --- |'];
  const rows = entry.members.flatMap(({ name, optional, type, doc }) => {
    const group = context.byName.get(type.replace(/<.*>$/, ''));
    if (prefix === '' && group?.kind === 'interface' && /Options$/.test(group.name)) {
      context.shown.set(group.name, entry);
      return optionRows(group, context, `${name}.`).slice(2);
    }
    const { text, fallback } = splitDefault(doc);
    const value = optional ? fallback || 'none' : 'required';
    return [`| \`${prefix}${name}\` | ${code(type)} | ${cell(value)} | ${cell(codesIn(text, context))} |`];
  });
  return [...head, ...rows];
}

/** `Default 10.` and the like, taken out of a description. */
function splitDefault(doc) {
  const found = /(?:^|\s)Default:?\s+([\s\S]*?)\.(?=\s|$)/.exec(doc);
  if (found === null) return { text: doc, fallback: '' };
  return { text: `${doc.slice(0, found.index)}${doc.slice(found.index + found[0].length)}`.trim(), fallback: found[1] };
}

function propertyTable(properties, context) {
  return [
    '| property | |',
    '| --- | --- |',
    ...properties.map(
      ({ signature, doc }) =>
        `| ${code(signature.replace(/^(?:get|readonly) /, ''))} | ${cell(codesIn(doc, context))} |`,
    ),
  ];
}

function renderType(entry, context) {
  const { name, kind, doc, signature, members, entryPoint } = entry;
  const lines = [`## ${entry.heading}`, ''];
  if (entryPoint !== 'semantic-index') lines.push(`\`import type { ${name} } from '${entryPoint}'\``, '');
  if (doc !== '') lines.push(codesIn(doc, context), '');
  if (kind === 'type' && members.length > 0) lines.push(...optionRows(entry, context), '');
  else if (kind === 'type' && entry.values.length > 10)
    lines.push(entry.values.map((value) => `\`${value}\``).join(', '), '');
  else if (kind === 'type') lines.push(...signature.split('\n').map((line) => `    ${line}`), '');
  else if (/Options$|Config$/.test(name)) lines.push(...optionRows(entry, context), '');
  else if (members.length > 0) {
    lines.push(
      ...['| member | type | |', '| --- | --- | --- |'],
      ...members.map(
        (member) =>
          `| \`${member.name}${member.optional ? '?' : ''}\` | ${code(member.type)} | ${cell(codesIn(member.doc, context))} |`,
      ),
      '',
    );
  }
  return lines.join('\n');
}

function renderIndex({ api, topicOf, shown }, topics) {
  const lines = [
    ...['# API reference', ''],
    [
      'Every export of every entry point: signatures, options and their defaults, errors by code, and examples whose output is',
      'tested. All errors are a [SemanticIndexError](api/semantic-index.md#semanticindexerror) with `code` and `hint`. An',
      'unknown option fails with `UNKNOWN_OPTION`, an option of a wrong type with `INVALID_ARGUMENT`.',
    ].join(' '),
    '',
    ...['| page | contents |', '| --- | --- |'],
    ...topics
      .filter((topic) => api.some((entry) => topicOf.get(entry) === topic))
      .map((topic) => {
        const names = api
          .filter((entry) => topicOf.get(entry) === topic && isValue(entry.kind))
          .sort((a, b) => order(topic, a) - order(topic, b))
          .map(({ name }) => `\`${name}\``);
        return `| [${topic.title}](api/${topic.name}.md) | ${names.join(', ') || 'types in signatures'} |`;
      }),
    '',
  ];
  for (const entryPoint of new Set(api.map((entry) => entry.entryPoint))) {
    const own = api.filter((entry) => entry.entryPoint === entryPoint).sort((a, b) => (a.name < b.name ? -1 : 1));
    const link = (entry) => {
      const page = shown.get(entry.name) ?? topicOf.get(entry).name;
      return `[${entry.name}](api/${page}.md#${anchor(shown.has(entry.name) ? entry.name : entry.heading)})`;
    };
    lines.push(`## ${entryPoint}`, '', '| export | |', '| --- | --- |');
    for (const entry of own.filter(({ kind }) => isValue(kind))) {
      lines.push(`| ${link(entry)} | ${cell(firstSentence(entry.doc))} |`);
      const methods = entry.members.filter(({ isMethod, name }) => isMethod && name !== 'constructor');
      if (methods.length > 0) lines.push(`| | ${methods.map(({ name }) => `\`${name}\``).join(' ')} |`);
    }
    const types = own.filter(({ kind }) => !isValue(kind));
    if (types.length > 0) lines.push('', `Types: ${types.map(link).join(', ')}.`);
    lines.push('');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

/** The anchor that GitHub gives a heading. */
const anchor = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
const firstSentence = (doc) => /^[\s\S]*?\.(?=\s+[A-Z`]|$)/.exec(doc)?.[0] ?? doc;
const cell = (text) => text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/(?<!\\)\|/g, '\\|');
const code = (text) => `\`${cell(text.replaceAll(/\s+/g, ' '))}\``;

/** Error codes in backticks. */
function codesIn(text, { codes }) {
  return text.replaceAll(/`[^`]*`|\b[A-Z][A-Z_]+\b/g, (word) => (codes.has(word) ? `\`${word}\`` : word));
}

/** Paragraphs of at most 120 columns; tables, code and headings stay as they are. */
function wrap(text) {
  let fenced = false;
  return text
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('```')) fenced = !fenced;
      if (fenced || line.length <= 120 || /^(?: {4}|\||#|<|`{3})/.test(line)) return [line];
      const indent = /^- /.test(line) ? '  ' : '';
      const lines = [];
      for (const word of line.split(' ')) {
        const last = lines.at(-1);
        if (last === undefined || last.length + 1 + word.length > 120)
          lines.push(last === undefined ? word : indent + word);
        else lines[lines.length - 1] = `${last} ${word}`;
      }
      return lines;
    })
    .join('\n');
}
