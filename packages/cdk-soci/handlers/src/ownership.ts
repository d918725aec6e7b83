import type { Descriptor, Store } from '@sociable/oci'
import { EcrImages } from './ecr-images.js'
import { log } from './log.js'
import { ownerTag, ownerTagsAmong } from './owner-tags.js'
import { isRefusedByAws } from './permissions.js'
import type { Work } from './work.js'

/**
 * Puts the resource's owner tag on the result where that is its own to delete, or another's who may delete it. What was there before and belongs to
 * nobody stays nobody's, and what the resource does not own any more, as its removal policy is another now, loses its tag.
 * @param wasThere whether the result was there before this event
 * @returns whether the resource owns the result
 */
export async function settleOwner(work: Work, store: Store, result: Descriptor, wasThere: boolean): Promise<boolean> {
  const { request, owner, signal } = work
  if (owner === undefined) return false
  const own = ownerTag(request, owner)
  const isNew = !wasThere || isSameResult(work)
  const owns = (request.removal === 'destroy' && isNew) || (wasThere && (await hasOwner(work, own)))
  if (owns) await store.tag(result, own, { signal })
  return owns
}

/** Whether others may delete the result. If nobody may, the resource's own tag is taken off. */
async function hasOwner(work: Work, own: string): Promise<boolean> {
  const { request, former, signal } = work
  const ecr = new EcrImages(request.output.repository, signal)
  const tags = await ecr.tags()
  if (ownerTagsAmong(request, tags.keys()).some((tag) => tag !== own)) return true
  if (former?.removal === 'destroy' && isSameResult(work)) await release(ecr, tags, own)
  return false
}

/** With its last tag an image would go. The permission goes with the removal policy, maybe before this. */
async function release(ecr: EcrImages, tags: ReadonlyMap<string, string>, own: string): Promise<void> {
  const digest = tags.get(own)
  if (![...tags].some(([tag, other]) => tag !== own && other === digest)) return
  await ecr.delete([{ imageTag: own }]).catch((error) => {
    if (!isRefusedByAws(error)) throw error
    log('the owner tag stays: it may not be deleted any more', { tag: own })
  })
}

/** Whether an Update is of the result that the resource has already. */
export function isSameResult({ request, former }: Work): boolean {
  return former?.physicalId === request.physicalId
}
