import { EcrImages } from './ecr-images.js'
import { ownerTagsAmong } from './owner-tags.js'
import type { Work } from './work.js'

/**
 * Whether the resource puts its owner tag on the result: where the result is its own to delete, or another's who may delete it. What was there
 * before and belongs to nobody stays nobody's.
 * @param wasThere whether the result was there before this event
 */
export async function isToBeOwned(work: Work, wasThere: boolean): Promise<boolean> {
  const { request, signal } = work
  if (request.removal === 'destroy' && (!wasThere || isSameResult(work))) return true
  if (!wasThere) return false
  const ecr = new EcrImages(request.output.repository, signal)
  return ownerTagsAmong(request, (await ecr.tags()).keys()).length > 0
}

/** Whether an Update is of the result that the resource has already. */
export function isSameResult({ request, former }: Work): boolean {
  return former?.physicalId === request.physicalId
}
