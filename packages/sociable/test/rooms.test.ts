import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

// The packages' tests are not part of what they export, so the module is found by its place.
const rooms = new URL('../../../oci/dist/test/rooms.js', import.meta.url).href
const { assertLayers } = (await import(rooms)) as typeof import('../../oci/dist/test/rooms.js')

test('imports point down: from the command line to the verbs, from these to what they are made of', () => {
  assertLayers(fileURLToPath(new URL('../../src/', import.meta.url)), [
    [
      'error',
      'result',
      'progress',
      'options',
      'parallel',
      'printable',
      'size',
      'profile/profile',
      'profile/merge-profiles',
    ],
    ['soci/'],
    ['image/'],
    ['places/'],
    ['indexing/'],
    ['reading/'],
    ['profile/'],
    ['profile/static/'],
    ['recompress/', 'start-layer/'],
    ['generated/', 'pruning/', 'publishing/', 'report/', 'simulating/', 'verifying/'],
    ['*'],
    ['cli/'],
    ['docker/'],
  ])
})
