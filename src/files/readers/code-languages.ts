/** Grammars in @vscode/tree-sitter-wasm, by the ending of a file. */
const grammars: Readonly<Record<string, string>> = {
  ...{ js: 'javascript', mjs: 'javascript', cjs: 'javascript', jsx: 'javascript' },
  ...{ ts: 'typescript', mts: 'typescript', cts: 'typescript', tsx: 'tsx' },
  ...{ py: 'python', go: 'go', rs: 'rust', java: 'java', cs: 'c-sharp', php: 'php', rb: 'ruby' },
  ...{ c: 'cpp', h: 'cpp', cc: 'cpp', cpp: 'cpp', cxx: 'cpp', hh: 'cpp', hpp: 'cpp' },
  ...{ sh: 'bash', bash: 'bash', ps1: 'powershell' },
};

/** The grammar for a file with this ending. */
export function grammarOf(ending: string): string | undefined {
  return grammars[ending];
}

/** Kinds of nodes that define something with a name, in any of the grammars. */
export const definitions: ReadonlySet<string> = new Set([
  // JavaScript and TypeScript
  ...['function_declaration', 'generator_function_declaration', 'class_declaration', 'abstract_class_declaration'],
  ...['method_definition', 'interface_declaration', 'enum_declaration', 'type_alias_declaration', 'internal_module'],
  // Python, PHP, C, C++, Bash
  ...['function_definition', 'class_definition', 'class_specifier', 'struct_specifier', 'enum_specifier'],
  ...['namespace_definition', 'trait_declaration'],
  // Go and Rust
  ...['method_declaration', 'type_declaration', 'function_item', 'struct_item', 'enum_item', 'impl_item'],
  ...['trait_item', 'mod_item', 'macro_definition', 'union_item'],
  // Java and C#
  ...['record_declaration', 'constructor_declaration', 'annotation_type_declaration', 'struct_declaration'],
  ...['namespace_declaration', 'property_declaration', 'delegate_declaration', 'local_function_statement'],
  // Ruby and PowerShell
  ...['method', 'singleton_method', 'class', 'module', 'function_statement', 'class_statement'],
]);

/** Nodes around one definition that belong to it: exports, decorators, templates. */
export const wrappers: ReadonlySet<string> = new Set([
  ...['export_statement', 'decorated_definition', 'template_declaration', 'ambient_declaration'],
]);

/** Statements that give a function a name by assigning it. */
export const assignments: ReadonlySet<string> = new Set([
  ...['lexical_declaration', 'variable_declaration', 'expression_statement', 'public_field_definition'],
  ...['field_definition', 'pair'],
]);

/** Values that make an assignment a definition. */
export const functionValues: ReadonlySet<string> = new Set([
  ...['arrow_function', 'function_expression', 'generator_function', 'class', 'lambda', 'function'],
]);

/** Nodes that belong to the definition below them. */
export const leading: ReadonlySet<string> = new Set([
  ...['comment', 'line_comment', 'block_comment', 'attribute_item', 'decorator', 'attribute_list', 'attribute'],
]);
