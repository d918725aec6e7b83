import { Token } from 'aws-cdk-lib'

/** distribution-spec v1.1.1, "Pulling manifests"; those of ECR are the same. */
const TAG = /^\w[\w.-]*$/
const TAG_LIMIT = 128
/** What the handler adds to the output tag where the image is to go with its last owner: `.owner-` and 12 hexadecimal digits. */
const OWNER_SUFFIX = 19
const DIGEST = /^sha256:[0-9a-f]{64}$/

/** What an indexed image is called if it is not told. A token becomes part of a longer text. */
export function defaultOutputTag(input: string, suffix: string): string {
  return `${input.replace(/^sha256:/, 'sha256-')}-soci${suffix}`
}

/** @throws Error for what is neither tag nor digest, as far as it is known */
export function checkInputTag(name: string, value: string): void {
  if (Token.isUnresolved(value) || DIGEST.test(value)) return
  const problem = tagProblem(value, TAG_LIMIT)
  if (problem !== undefined) throw new Error(`${name} is "${value}", which ${problem}; a digest sha256:… is taken too`)
}

/** `input`: the tag that is indexed, where it is in the same repository. @throws Error for what cannot be a tag, or is the input's, as far as it is known */
export function checkOutputTag(value: string, input: string | undefined, owned: boolean): void {
  if (value === input)
    throw new Error(
      `outputImageTag is "${value}", the tag of the image that is indexed: it would be replaced; give another, or leave it out for "${input}-soci"`,
    )
  if (Token.isUnresolved(value)) return
  const problem = tagProblem(value, owned ? TAG_LIMIT - OWNER_SUFFIX : TAG_LIMIT)
  const reason = owned ? ' together with RemovalPolicy.DESTROY, which adds a longer tag for the owner' : ''
  if (problem !== undefined) throw new Error(`outputImageTag is "${value}", which ${problem}${reason}`)
}

/** @throws Error for what cannot be a tag, or is the image's, as far as it is known */
export function checkIndexTag(value: string, input: string): void {
  if (value === input)
    throw new Error(`indexTag is "${value}", the tag of the image: it would be taken from it; give another`)
  if (Token.isUnresolved(value)) return
  const problem = tagProblem(value, TAG_LIMIT)
  if (problem !== undefined) throw new Error(`indexTag is "${value}", which ${problem}`)
}

function tagProblem(value: string, limit: number): string | undefined {
  if (value === '') return 'is empty: give a tag'
  if (!TAG.test(value)) return 'is not a tag: use letters, digits, "_", "." and "-", the last two not at the beginning'
  if (value.length > limit) return `has ${value.length} characters: give at most ${limit}`
  return undefined
}
