import { Stack } from 'aws-cdk-lib'
import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type { IConstruct } from 'constructs'
import { describeImageName, parseEcrImageName } from './image-name'

/** What one construct writes under a tag. */
export interface TaggedOutput {
  readonly repository: ecr.IRepository
  readonly tag: string
  /** What is written there: outputs of the same content have the same bytes. */
  readonly content: string
}

interface Claim {
  readonly scope: IConstruct
  readonly content: string
}

/** Who writes which tag: below the root of the app where the name says whose the repository is, else below the stack. */
const claims = new WeakMap<IConstruct, Map<string, Claim>>()

/**
 * Notes that the scope writes the tag. Any construct of this package that writes a tag asks here, so that none replaces another's image.
 * @throws Error where a construct of the same stack, or of another stack that names the same account and region, writes something else there
 */
export function claimOutputTag(scope: IConstruct, { repository, tag, content }: TaggedOutput): void {
  const name = `${repository.repositoryUri}:${tag}`
  const place = keyOfImage(scope, name)
  if (isPlain(place) && isPlain(content)) claim(scope.node.root, { scope, content }, place, name)
  claim(Stack.of(scope), { scope, content }, place, name)
}

/** Name of an image, the same for all the ways of writing it in a stack. */
export function keyOfImage(scope: IConstruct, name: string): string {
  return parseEcrImageName(scope, name)?.key ?? JSON.stringify(Stack.of(scope).resolve(name))
}

function claim(owner: IConstruct, mine: Claim, place: string, name: string): void {
  const places = claims.get(owner) ?? new Map<string, Claim>()
  claims.set(owner, places)
  const first = places.get(place) ?? mine
  if (first.content !== mine.content)
    throw new Error(
      `${first.content} and ${mine.content} would both become ${describeImageName(mine.scope, name)}: give each an outputImageTag of its own (${first.scope.node.path}, ${mine.scope.node.path})`,
    )
  places.set(place, first)
}

/** Whether the text means the same in every stack: the domain of a region is the only function in it. */
function isPlain(text: string): boolean {
  return !text.replaceAll('{"Ref":"AWS::URLSuffix"}', '').includes('{')
}
