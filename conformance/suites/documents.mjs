// Random manifests and indexes: decoded into the structs of image-spec and printed again by Go and by ours, refused by both or by none.
import {
  checkDocument,
  decodeIndex,
  decodeManifest,
  encodeIndex,
  encodeManifest,
  ManifestError,
} from '../../packages/oci/dist/src/index.js'
import { fuzzDocument } from '../lib/json-fuzz.mjs'
import { ask } from '../lib/oracle.mjs'

export const name = 'random manifests and indexes'

export async function run({ oracle, seed, count, check, log }) {
  const documents = Array.from({ length: count * 2 }, (_, i) => fuzzDocument(seed + i))
  const answers = await ask(oracle, 'manifest', documents)
  let refused = 0
  for (const [i, document] of documents.entries()) {
    const { output, error, refused: reason } = answers[i]
    const bytes = new TextEncoder().encode(document.json)
    const ours = attempt(() => recode(document.kind, bytes))
    const problems = []
    if (ours.value !== output) problems.push(`Go prints ${output ?? error}; ours ${ours.value ?? ours.error}`)
    // The reference validates before it decodes for a manifest, and only validates an index; a decoding error refuses either.
    const valid = attempt(() => checkDocument(bytes, document.mediaType, 'it'))
    const theirs = error ?? reason
    const mine = ours.error ?? valid.error
    if ((theirs === undefined) !== (mine === undefined))
      problems.push(`the reference: ${theirs ?? 'valid'}; ours: ${mine ?? 'valid'}`)
    if (theirs !== undefined) refused++
    check(
      `document of seed ${seed + i}`,
      problems.length > 0 ? `${problems.join('; ')} of ${document.json.slice(0, 1000)}` : undefined,
    )
  }
  log(`${documents.length} documents from seed ${seed}, ${refused} refused`)
}

function recode(kind, bytes) {
  const encoded =
    kind === 'manifest' ? encodeManifest(decodeManifest(bytes, 'it')) : encodeIndex(decodeIndex(bytes, 'it'))
  return new TextDecoder().decode(encoded)
}

function attempt(action) {
  try {
    return { value: action() }
  } catch (error) {
    if (error instanceof ManifestError) return { error: error.message }
    throw error
  }
}
