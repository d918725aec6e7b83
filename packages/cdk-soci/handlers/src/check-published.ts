import { resolveIfThere } from '@sociable/oci'
import { checkConverted } from 'sociable'
import { imageName } from './index-request.js'
import { log } from './log.js'
import type { Outcome, Work } from './work.js'

const PUBLISH =
  'publish it before the deployment, with `sociable publish`, with CDK_DOCKER=sociable-docker, or with `sociable convert`'

/**
 * Checks that the SOCI-enabled image that was published for the request's image is there. Writes nothing.
 * @throws Error with what to do where there is none, or one of another image; errors of the library
 */
export async function checkPublished({ request, images, memory, signal }: Work): Promise<Outcome> {
  const { repository, input, output, options } = request
  const store = await images.openEcr(output.repository, signal)
  const name = imageName(output)
  if ((await resolveIfThere(store, output.tag, signal)) === undefined)
    throw new Error(`${name}, the SOCI-enabled image of ${input}, does not exist: ${PUBLISH}`)
  const source = { store: await images.openEcr(repository, signal), reference: input }
  const found = await checkConverted(
    source,
    { store, reference: output.tag },
    { requireIndex: options.requireIndex, memory, signal },
  )
  const { matches, digest, indexed, reason = '', problems } = found
  log('published image', { digest, indexed, reason, problems: problems.slice(0, 3) })
  if (!matches) throw new Error(`${name} is not the SOCI-enabled image of ${input} (${problems[0]}): ${PUBLISH}`)
  return { imageDigest: digest, indexed, reason }
}
