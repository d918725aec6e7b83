// Which images a cloud assembly has, and where each goes.
import { matchesPattern } from '@sociable/oci'
import { type AssemblyStack, type Fields, invalid, objectOf, readAssemblyDocument, textOf } from './cloud-assembly.js'
import { PublishError } from './publish-error.js'

/** An image asset at one destination. Texts may hold CloudFormation's placeholders, see `resolvePlaceholders`. */
export interface ImageAsset {
  /** For messages: the asset's name, else its id. */
  readonly name: string
  readonly repository: string
  readonly tag: string
  /** Absent: the default region. */
  readonly region?: string
  /** The role to assume for the repository. */
  readonly role?: { readonly arn: string; readonly externalId?: string }
}

/** What the placeholders stand for. */
export interface AwsEnvironment {
  readonly account: string
  readonly region: string
  readonly partition: string
}

/**
 * The stacks whose names match a pattern, where `*` is any text, and those that they depend on. All without patterns.
 * @throws PublishError STACK_NOT_FOUND where a pattern matches none
 */
export function selectStacks(stacks: readonly AssemblyStack[], patterns: readonly string[]): AssemblyStack[] {
  if (patterns.length === 0) return [...stacks]
  const selected = new Set<string>()
  for (const pattern of patterns) {
    const matching = stacks.filter(({ name }) => matchesPattern(name, pattern))
    if (matching.length === 0) {
      const names = stacks.map(({ name }) => name).join(', ')
      throw new PublishError('STACK_NOT_FOUND', `no stack is named ${pattern}: the assembly has ${names || 'none'}`)
    }
    for (const { name } of matching) selected.add(name)
  }
  // A set that grows is iterated to its new end
  for (const name of selected)
    for (const dependency of stacks.find((stack) => stack.name === name)?.dependencies ?? []) selected.add(dependency)
  return stacks.filter(({ name }) => selected.has(name))
}

/** The image assets of the stacks, each destination once. @throws PublishError ASSEMBLY_INVALID */
export async function imageAssets(stacks: readonly AssemblyStack[]): Promise<ImageAsset[]> {
  const assets = new Map<string, ImageAsset>()
  for (const file of new Set(stacks.flatMap(({ manifests }) => manifests))) {
    const { dockerImages } = await readAssemblyDocument(file)
    for (const [id, image] of Object.entries(objectOf(dockerImages))) {
      const { displayName, destinations } = objectOf(image)
      for (const destination of Object.values(objectOf(destinations))) {
        const asset = readDestination(file, textOf(displayName) ?? id, objectOf(destination))
        const { name: _, ...place } = asset
        const key = JSON.stringify(place)
        if (!assets.has(key)) assets.set(key, asset)
      }
    }
  }
  return [...assets.values()]
}

function readDestination(file: string, name: string, destination: Fields): ImageAsset {
  const repository = textOf(destination.repositoryName)
  const tag = textOf(destination.imageTag)
  if (repository === undefined || tag === undefined)
    throw invalid(file, `the image asset ${name} has a destination without repositoryName or imageTag`)
  const region = textOf(destination.region)
  const arn = textOf(destination.assumeRoleArn)
  const externalId = textOf(destination.assumeRoleExternalId)
  return {
    name,
    repository,
    tag,
    ...(region !== undefined && { region }),
    ...(arn !== undefined && { role: { arn, ...(externalId !== undefined && { externalId }) } }),
  }
}

/** Puts values in place of `${AWS::AccountId}`, `${AWS::Region}` and `${AWS::Partition}`. */
export function resolvePlaceholders(asset: ImageAsset, { account, region, partition }: AwsEnvironment): ImageAsset {
  const values: Readonly<Record<string, string>> = { AccountId: account, Region: region, Partition: partition }
  const put = (text: string): string =>
    text.replace(/\$\{AWS::(AccountId|Region|Partition)\}/g, (_, name: string) => values[name]!)
  const { role } = asset
  return {
    ...asset,
    repository: put(asset.repository),
    tag: put(asset.tag),
    region: asset.region === undefined ? region : put(asset.region),
    ...(role !== undefined && { role: { ...role, arn: put(role.arn) } }),
  }
}
