import { join } from 'node:path';
import ts from 'typescript';

/**
 * Everything that the entry points export, from their declaration files.
 *
 * An entry is { entryPoint, name, kind, signature, doc, throws, members, extends, file }; kind is function, class, interface, type
 * or variable. Members of a class are its public methods and properties, those of an interface its members.
 */
export function readApi(root, exports) {
  const entryPoints = Object.entries(exports).flatMap(([path, { types } = {}]) =>
    types === undefined ? [] : [{ entryPoint: path.replace(/^\./, 'semantic-index'), file: join(root, types) }],
  );
  const program = ts.createProgram(
    entryPoints.map(({ file }) => file),
    {
      ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
      ...{ target: ts.ScriptTarget.ES2023, strict: true, skipLibCheck: true, types: ['node'] },
    },
  );
  const checker = program.getTypeChecker();
  const seen = new Set();
  const entries = [];
  for (const { entryPoint, file } of entryPoints) {
    const source = program.getSourceFile(file);
    if (source === undefined) throw new Error(`${file} is missing: run npm run build`);
    const module = checker.getSymbolAtLocation(source);
    for (const exported of module === undefined ? [] : checker.getExportsOfModule(module)) {
      const symbol = (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
      if (isInternal(symbol)) continue;
      // A type that several entry points export is listed once, with the first of them.
      const declaration = symbol.declarations?.[0];
      const key = `${exported.name} ${declaration?.getSourceFile().fileName}:${declaration?.pos}`;
      if (seen.has(key)) continue;
      seen.add(key);
      entries.push(entryOf(checker, entryPoint, exported.name, symbol));
    }
  }
  return entries;
}

function entryOf(checker, entryPoint, name, symbol) {
  const declarations = symbol.declarations ?? [];
  const declaration = declarations[0];
  const common = {
    ...{ entryPoint, name, file: declaration.getSourceFile().fileName },
    ...documentation(checker, symbol),
  };
  if (ts.isClassDeclaration(declaration)) {
    return {
      ...{ ...common, kind: 'class', members: classMembers(checker, declaration) },
      ...{ extends: declaration.heritageClauses?.map((clause) => clause.getText()).join(' ') ?? '' },
      ...{ typeParameters: typeParametersOf(declaration), options: [] },
    };
  }
  if (ts.isInterfaceDeclaration(declaration)) {
    const heritage = declaration.heritageClauses?.map((clause) => clause.getText()).join(' ') ?? '';
    return { ...common, kind: 'interface', extends: heritage, members: interfaceMembers(checker, symbol) };
  }
  if (ts.isTypeAliasDeclaration(declaration)) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const isUnion = type.isUnion() && type.types.every((one) => one.isStringLiteral());
    const values = isUnion ? type.types.map(({ value }) => value) : [];
    const members = /Options$/.test(name) ? interfaceMembers(checker, symbol) : [];
    return { ...common, kind: 'type', signature: clean(declaration.getText()), values, members };
  }
  if (ts.isFunctionDeclaration(declaration)) {
    return {
      ...{ ...common, kind: 'function', signature: declarations.map((one) => clean(one.getText())).join('\n') },
      ...{ options: optionTypes(declarations), members: [] },
    };
  }
  return { ...common, kind: 'variable', signature: clean(declaration.getText()), members: [] };
}

/** Public members of a class and of its base classes in this package. */
function classMembers(checker, declaration) {
  const base = declaration.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0];
  const inherited =
    base === undefined ? undefined : checker.getTypeAtLocation(base).symbol?.declarations?.find(ts.isClassDeclaration);
  const own =
    /\/dist\//.test(inherited?.getSourceFile().fileName ?? '') &&
    !/node_modules/.test(inherited.getSourceFile().fileName);
  const bySymbol = new Map(
    own ? classMembers(checker, inherited).map((member) => [member.key, { ...member, nodes: [] }]) : [],
  );
  for (const member of declaration.members) {
    const modifiers = ts.getCombinedModifierFlags(member);
    if ((modifiers & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0) continue;
    const isConstructor = ts.isConstructorDeclaration(member);
    if (!isConstructor && (member.name === undefined || ts.isPrivateIdentifier(member.name))) continue;
    const name = isConstructor ? 'constructor' : member.name.getText();
    // Symbols of Node and of this package, and what a framework calls itself.
    if (name.startsWith('[Symbol.') || name.startsWith('_')) continue;
    const symbol = isConstructor ? undefined : checker.getSymbolAtLocation(member.name);
    const documented = isConstructor ? constructorDocumentation(member) : documentation(checker, symbol);
    if (documented.internal || name.startsWith('[')) continue;
    const isStatic = (modifiers & ts.ModifierFlags.Static) !== 0;
    const isMethod = isConstructor || ts.isMethodDeclaration(member) || ts.isMethodSignature(member);
    const key = `${isStatic} ${name}`;
    const known = bySymbol.get(key);
    const signature = clean(member.getText());
    if (known !== undefined) {
      known.signature += `\n${signature}`;
      known.nodes.push(member);
    } else {
      bySymbol.set(key, { key, name, isStatic, isMethod, signature, ...documented, nodes: [member] });
    }
  }
  return [...bySymbol.values()].map(({ nodes, options, ...member }) => ({
    ...{ ...member, options: options ?? optionTypes(nodes) },
  }));
}

/** Members of an interface, inherited ones included. */
function interfaceMembers(checker, symbol) {
  return (
    checker
      .getDeclaredTypeOfSymbol(symbol)
      .getProperties()
      // Members whose name is a symbol, such as that of `await using`.
      .filter(({ name }) => !name.startsWith('__@'))
      .flatMap((property) => {
        const declaration = property.declarations?.[0];
        if (declaration === undefined || isInternal(property)) return [];
        const optional = (property.flags & ts.SymbolFlags.Optional) !== 0;
        const type = ts.isMethodSignature(declaration)
          ? clean(declaration.getText()).replace(/;$/, '')
          : (declaration.type?.getText() ?? 'unknown').replaceAll(/\s+/g, ' ').replace(/ \| undefined$/, '');
        const method = ts.isMethodSignature(declaration);
        return [{ name: property.name, optional, method, type, ...documentation(checker, property) }];
      })
  );
}

/** Names of the parameter types that end in Options, Config or the like: interfaces of options. */
function optionTypes(declarations) {
  const names = declarations.flatMap((declaration) =>
    (declaration.parameters ?? []).flatMap(({ type }) => {
      const text = type?.getText() ?? '';
      return [...text.matchAll(/\b([A-Z]\w*(?:Options|Config|Deletion|Embeddings))\b/g)].map(([, name]) => name);
    }),
  );
  return [...new Set(names)];
}

function typeParametersOf({ typeParameters }) {
  return typeParameters === undefined ? '' : `<${typeParameters.map((one) => one.getText()).join(', ')}>`;
}

function documentation(checker, symbol) {
  const tags = symbol.getJsDocTags(checker);
  const textOf = (tag) => plain(ts.displayPartsToString(tag.text));
  return {
    doc: plain(ts.displayPartsToString(symbol.getDocumentationComment(checker))),
    throws: tags.filter(({ name }) => name === 'throws').map(textOf),
    params: tags.filter(({ name }) => name === 'param').map(textOf),
    internal: tags.some(({ name }) => name === 'internal'),
  };
}

function constructorDocumentation(node) {
  const [comment] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = (value) => plain(ts.getTextOfJSDocComment(value) ?? '');
  const tags = comment?.tags ?? [];
  const named = (name) => tags.filter(({ tagName }) => tagName.text === name);
  return {
    doc: comment === undefined ? '' : text(comment.comment),
    throws: named('throws').map((tag) => {
      // The parser takes the first word for a type.
      const type = tag.typeExpression?.getText() ?? '';
      return `${type}${text(tag.comment)}`;
    }),
    params: named('param').map((tag) => `${tag.name?.getText() ?? ''} ${text(tag.comment)}`),
    internal: named('internal').length > 0,
  };
}

function isInternal(symbol) {
  return symbol.getJsDocTags().some(({ name }) => name === 'internal');
}

function plain(text) {
  return text
    .replaceAll(/\{@link(?:code)?\s+([^}|\s]+)[^}]*\}/g, '`$1`')
    .replaceAll(/\s*\n(?!\n)\s*(?![-*] )/g, (end) => (/\n\s*\n/.test(end) ? '\n\n' : ' '))
    .trim();
}

/** A declaration as a signature: without comments and modifiers that do not matter to callers. */
function clean(text) {
  return text
    .replaceAll(/\/\*\*[\s\S]*?\*\/\s*/g, '')
    .replace(/^(?:export |declare |override |readonly )+/, '')
    .replace(/^static override /, 'static ')
    .replaceAll(/^ {4}/gm, '  ')
    .replace(/;$/, '');
}
