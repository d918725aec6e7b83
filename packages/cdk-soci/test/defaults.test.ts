import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { DEFAULTS } from 'cdk-soci/lib/private/checked-options.js'
import { WORKSPACE } from './workplace.js'

test('the defaults of the constructs are those of the library', async () => {
  const file = join(WORKSPACE, 'packages/sociable/dist/src/indexing/settings.js')
  const { resolveSettings } = (await import(pathToFileURL(file).href)) as {
    resolveSettings(options: object): Record<string, unknown>
  }
  const settings = resolveSettings({})
  for (const [name, value] of Object.entries(DEFAULTS)) assert.equal(settings[name], value, name)
})
