import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EcrCatalogApi, listRepositories, RegistryClient } from '../../src/registry/registry.js'
import { startDockerRegistry } from '../doubles/real-registries.js'

const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'

async function list(registry: string, ecr?: EcrCatalogApi): Promise<string[]> {
  const client = new RegistryClient()
  try {
    const names: string[] = []
    for await (const name of listRepositories(client, registry, { ...(ecr !== undefined && { ecr }) })) names.push(name)
    return names
  } finally {
    await client.close()
  }
}

test('Amazon ECR is asked by its API, page by page', async () => {
  const asked: (string | undefined)[] = []
  const names = await list(HOST, async ({ account, region }, next) => {
    assert.deepEqual([account, region], ['123456789012', 'eu-west-1'])
    asked.push(next)
    return next === undefined ? { names: ['a', 'b'], next: 'more' } : { names: ['b', 'c'] }
  })
  assert.deepEqual(
    [names, asked],
    [
      ['a', 'b', 'c'],
      [undefined, 'more'],
    ],
  )
})

test('Amazon ECR: a refusal names the permission; pages that repeat end', async () => {
  const refused: EcrCatalogApi = async () => {
    throw new Error('not authorized')
  }
  await assert.rejects(list(HOST, refused), { code: 'DENIED', message: /ecr:DescribeRepositories.*not authorized/ })
  await assert.rejects(
    list(HOST, async () => ({ names: ['a'], next: 'same' })),
    { code: 'PROTOCOL', message: /does not end/ },
  )
})

test('an empty registry has no repositories', async (t) => {
  const registry = await startDockerRegistry(t)
  if (registry === undefined) return
  assert.deepEqual(await list(registry.host), [])
})
