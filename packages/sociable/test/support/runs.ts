// Runs whose destination tests break in the middle, and what must be true of it afterwards.
import type { Store } from '@sociable/oci'
import { convert, copyImage, createIndex, inspect } from '../../src/index.js'
import type { TestFolder } from './folder.js'
import { AMD64, layer, SMALL, twoPlatforms } from './samples.js'

/** A run that is about `v` in a store. */
export interface Run {
  readonly name: string
  /** Makes the destination what it is before. */
  prepare(store: Store): Promise<unknown>
  work(store: Store): Promise<unknown>
}

export function breakableRuns(folder: TestFolder): readonly Run[] {
  const input = `oci:${folder.layout(twoPlatforms)}:app`
  const former = `oci:${folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'former')], AMD64)))}`
  return [
    {
      name: 'convert over a former image',
      prepare: (store) => convert(former, { store, reference: 'v' }, SMALL),
      work: (store) => convert(input, { store, reference: 'v' }, SMALL),
    },
    {
      name: 'convert within a store',
      prepare: (store) => copyImage(input, { store, reference: 'v' }),
      work: (store) => convert({ store, reference: 'v' }, { store, reference: 'v' }, SMALL),
    },
    {
      name: 'create',
      prepare: (store) => copyImage(input, { store, reference: 'v' }),
      work: (store) => createIndex({ store, reference: 'v' }, { ...SMALL, indexTag: 'index' }),
    },
    {
      name: 'copy over a former image',
      prepare: (store) => copyImage(former, { store, reference: 'v' }),
      work: (store) => copyImage(input, { store, reference: 'v' }),
    },
  ]
}

export interface RunState {
  readonly digest: string
  readonly sociEnabled: boolean
  readonly problems: readonly string[]
}

export async function stateOf(store: Store): Promise<RunState> {
  const { digest, images, sociEnabled } = await inspect({ store, reference: 'v' })
  return { digest, sociEnabled, problems: images.flatMap(({ problems }) => problems) }
}
