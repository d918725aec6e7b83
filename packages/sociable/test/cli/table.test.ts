import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTable } from '../../src/cli/table.js'

test('columns are as wide as their widest cell, numbers to the right, nothing trailing', () => {
  const columns = [{ name: 'LAYER' }, { name: 'SIZE', align: 'right' as const }, { name: 'NOTE' }]
  assert.deepEqual(
    formatTable(columns, [
      ['a', '10.0 MB', ''],
      ['abcdef', '1 B', 'small'],
    ]),
    ['LAYER      SIZE  NOTE', 'a       10.0 MB', 'abcdef      1 B  small'],
  )
  assert.deepEqual(formatTable(columns, []), ['LAYER  SIZE  NOTE'])
})
