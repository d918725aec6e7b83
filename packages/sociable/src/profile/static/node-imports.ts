// The modules that JavaScript loads when it is run: imports, and calls of `require` that are not in a function of their own.
import { type AnyNode, parse } from 'acorn'

export interface NodeImport {
  readonly specifier: string
  readonly kind: 'import' | 'require'
}

interface Visit {
  readonly node: unknown
  readonly depth: number
}

/** A deeper tree is no program that a person or a compiler wrote. */
const MAX_DEPTH = 2000

/** @param everywhere in all functions, too */
export function scanNode(source: string, isModule: boolean, everywhere = false): NodeImport[] {
  let program: unknown
  try {
    program = parse(source, {
      ecmaVersion: 'latest',
      sourceType: isModule ? 'module' : 'script',
      allowHashBang: true,
      allowReturnOutsideFunction: true,
      allowAwaitOutsideFunction: true,
    })
  } catch {
    return [] // of another language, or newer than the parser: nothing can be told of it
  }
  const found: NodeImport[] = []
  const pending: Visit[] = [{ node: program, depth: 0 }]
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { depth } = visit
    if (Array.isArray(visit.node)) {
      for (const each of [...visit.node].reverse()) pending.push({ node: each, depth: depth + 1 })
      continue
    }
    if (visit.node === null || typeof visit.node !== 'object' || depth > MAX_DEPTH) continue
    const node = visit.node as AnyNode
    if (typeof node.type !== 'string') continue
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        if (!everywhere) continue
        break
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        if (node.source != null) add(node.source, 'import')
        break
      case 'ImportExpression':
        add(node.source, 'import')
        break
      case 'CallExpression': {
        const { callee } = node
        if (callee.type === 'Identifier' && callee.name === 'require') add(node.arguments[0], 'require')
        // A function that is called where it stands
        const called = callee.type === 'MemberExpression' ? callee.object : callee
        if (called.type === 'FunctionExpression' || called.type === 'ArrowFunctionExpression')
          pending.push({ node: called.body, depth: depth + 1 })
        break
      }
    }
    for (const key of Object.keys(node).reverse())
      if (key !== 'type') pending.push({ node: (node as unknown as Record<string, unknown>)[key], depth: depth + 1 })
  }
  return found

  function add(argument: AnyNode | undefined, kind: NodeImport['kind']): void {
    if (argument?.type === 'Literal' && typeof argument.value === 'string')
      found.push({ specifier: argument.value, kind })
  }
}
