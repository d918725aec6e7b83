import type { TestContext } from 'node:test'

/** The Node versions that Lambda runs the handlers with: `nodejs22.x` and `nodejs24.x`. */
export const LAMBDA_NODES = ['22', '24'] as const

/** Path of a Node, from npm's package `node`; undefined, the test skipped, where it cannot be had. Under CI that fails. */
export async function ensureNode(t: TestContext, major: string): Promise<string | undefined> {
  const tools = new URL('../../../../../../../scripts/tools.mjs', import.meta.url).href
  const { ensureNode: ensure } = (await import(tools)) as { ensureNode(major: string): string }
  try {
    return ensure(major)
  } catch (error) {
    if (process.env.CI === 'true') throw error
    t.skip((error as Error).message)
    return undefined
  }
}
