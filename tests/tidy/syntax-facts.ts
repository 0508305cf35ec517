// What the rules ask of a syntax tree, gathered in one walk over the ESTree that oxc-parser gives.

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface SyntaxFacts {
  readonly functions: { name: string; start: number; end: number }[];
  /** Offsets of the type `any`. */
  readonly anys: number[];
  /** Catch clauses whose block holds no statement. */
  readonly emptyCatches: { start: number; end: number }[];
  /** Files named by `import('x')`, by the type `import('x').Y` and by `new URL('x', import.meta.url)`. */
  readonly indirect: { specifier: string; start: number }[];
}

export function facts(program: unknown): SyntaxFacts {
  const found: SyntaxFacts = { functions: [], anys: [], emptyCatches: [], indirect: [] };
  visit(program, undefined, found);
  return found;
}

function visit(value: unknown, parent: Node | undefined, found: SyntaxFacts): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, parent, found);
    return;
  }
  if (!isNode(value)) return;
  note(value, parent, found);
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) visit(child, value, found);
  }
}

function note(node: Node, parent: Node | undefined, found: SyntaxFacts): void {
  switch (node.type) {
    case 'TSAnyKeyword':
      found.anys.push(node.start);
      break;
    case 'CatchClause':
      if (isNode(node.body) && Array.isArray(node.body.body) && node.body.body.length === 0) {
        found.emptyCatches.push({ start: node.start, end: node.end });
      }
      break;
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      found.functions.push({ name: nameOf(node, parent), start: node.start, end: node.end });
      break;
    case 'ImportExpression':
    case 'TSImportType':
      noteLiteral(node.source ?? node.argument, node, found);
      break;
    case 'NewExpression':
      if (nameIn(node.callee) === 'URL' && Array.isArray(node.arguments) && isImportMetaUrl(node.arguments[1])) {
        noteLiteral(node.arguments[0], node, found);
      }
      break;
  }
}

function noteLiteral(value: unknown, node: Node, found: SyntaxFacts): void {
  const literal = isNode(value) && value.type === 'TSLiteralType' ? value.literal : value;
  if (isNode(literal) && typeof literal.value === 'string') {
    if (node.type === 'NewExpression' && !/\.[cm]?[jt]sx?$/.test(literal.value)) return; // a folder or some data
    const specifier =
      node.type === 'NewExpression' && !literal.value.startsWith('.') ? `./${literal.value}` : literal.value;
    found.indirect.push({ specifier, start: node.start });
  }
}

function isImportMetaUrl(value: unknown): boolean {
  return (
    isNode(value) && value.type === 'MemberExpression' && isNode(value.object) && value.object.type === 'MetaProperty'
  );
}

function nameOf(node: Node, parent: Node | undefined): string {
  return nameIn(node.id) ?? nameIn(parent?.id) ?? nameIn(parent?.key) ?? nameIn(parent?.left) ?? '(unnamed)';
}

function nameIn(value: unknown): string | undefined {
  return isNode(value) && typeof value.name === 'string' ? value.name : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
