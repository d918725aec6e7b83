import type { Store } from '@sociable/oci'

/**
 * What goes wrong with a call: it fails before it does anything, or when it has done it; `dead` fails it and all after it, as if the process had
 * ended; of a content that is fetched or pushed only a part comes (`break`), or other bytes do (`damage`).
 */
export type StoreFault = 'before' | 'after' | 'dead' | 'break' | 'damage'

export interface StoreCall {
  /** From 1, over all calls. */
  readonly number: number
  readonly name: keyof Store
  /** The digest, or the name, that it is about. */
  readonly about: string
}

export interface FaultyStore {
  readonly store: Store
  calls(): number
}

/** A store whose calls go wrong as a function says. */
export function faultyStore(store: Store, fault: (call: StoreCall) => StoreFault | undefined): FaultyStore {
  let calls = 0
  let isDead = false
  const decide = (name: keyof Store, about: string): { readonly what: string; readonly fault?: StoreFault } => {
    const call = { number: ++calls, name, about }
    const what = `call ${call.number}, ${name} ${about},`
    if (isDead) return { what, fault: 'dead' }
    const found = fault(call)
    if (found === 'dead') isDead = true
    return found === undefined ? { what } : { what, fault: found }
  }
  const call = async <Result>(name: keyof Store, about: string, work: () => Promise<Result>): Promise<Result> => {
    const { what, fault } = decide(name, about)
    if (fault !== undefined && fault !== 'after') throw new Error(`${what} failed`)
    const result = await work()
    if (fault === 'after' || isDead) throw new Error(`${what} failed after its effect`)
    return result
  }
  async function* stream<Item>(name: keyof Store, about: string, items: () => AsyncIterable<Item>) {
    const { what, fault } = decide(name, about)
    if (fault === 'before' || fault === 'dead') throw new Error(`${what} failed`)
    for await (const item of items()) {
      if (isDead) throw new Error(`${what} failed: the process has ended`)
      if (!(item instanceof Uint8Array) || fault === undefined) yield item
      else if (fault === 'damage') yield item.map((byte, i) => (i === item.length >> 1 ? byte ^ 0xff : byte)) as Item
      else {
        yield item.slice(0, item.length >> 1) as Item
        throw new Error(`${what} broke`)
      }
    }
    if (fault === 'after') throw new Error(`${what} failed after its effect`)
  }
  return {
    calls: () => calls,
    store: {
      name: store.name,
      fetch: (descriptor, options) => stream('fetch', descriptor.digest, () => store.fetch(descriptor, options)),
      exists: (descriptor, options) => call('exists', descriptor.digest, () => store.exists(descriptor, options)),
      push: (descriptor, content, options) =>
        call('push', descriptor.digest, () => store.push(descriptor, content, options)),
      resolve: (reference, options) => call('resolve', String(reference), () => store.resolve(reference, options)),
      tag: (descriptor, reference, options) =>
        call('tag', String(reference), () => store.tag(descriptor, reference, options)),
      tags: (options) => stream('tags', '', () => store.tags(options)),
      attach: (descriptor, options) => call('attach', descriptor.digest, () => store.attach(descriptor, options)),
      referrers: (subject, options) => stream('referrers', subject.digest, () => store.referrers(subject, options)),
      close: () => store.close(),
    },
  }
}
