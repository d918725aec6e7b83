// A cloud assembly as `cdk synth` writes it (@aws-cdk/cloud-assembly-schema): its stacks, and the files that list their assets.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PublishError } from './publish-error.js'

/** The newest revision of the schema that this was written for. */
const NEWEST_SCHEMA = 55
/** Stages in stages; a loop of folders is not followed for ever. */
const MAX_DEPTH = 16

/** The members of a JSON object, of any type. */
export type Fields = Readonly<Record<string, unknown>>

/** A stack, and the asset manifests that belong to it. */
export interface AssemblyStack {
  /** As `cdk list` shows it: `Prod/Api`. */
  readonly name: string
  /** Asset manifests, as paths of files. */
  readonly manifests: readonly string[]
  /** The stacks that it depends on, in the same assembly. */
  readonly dependencies: readonly string[]
}

/** The stacks of an assembly and of those nested in it. @throws PublishError ASSEMBLY_INVALID */
export async function readCloudAssembly(folder: string, depth = 0): Promise<AssemblyStack[]> {
  if (depth > MAX_DEPTH) throw invalid(folder, `assemblies are nested more than ${MAX_DEPTH} deep`)
  const file = join(folder, 'manifest.json')
  const artifacts = objectOf((await readAssemblyDocument(file)).artifacts)
  const all = new Map(Object.entries(artifacts).map(([id, artifact]) => [id, objectOf(artifact)]))
  const typeOf = (id: string) => textOf(all.get(id)?.type)
  const nameOf = (id: string) => textOf(all.get(id)?.displayName) ?? id
  const stacks: AssemblyStack[] = []
  for (const [id, artifact] of all) {
    const properties = objectOf(artifact.properties)
    if (typeOf(id) === 'cdk:cloud-assembly') {
      const directory = textOf(properties.directoryName)
      if (directory === undefined) throw invalid(file, `the nested assembly ${id} has no directoryName`)
      stacks.push(...(await readCloudAssembly(join(folder, directory), depth + 1)))
    }
    if (typeOf(id) !== 'aws:cloudformation:stack') continue
    const dependencies = listOf(artifact.dependencies).flatMap((each) => textOf(each) ?? [])
    const manifests = dependencies
      .filter((each) => typeOf(each) === 'cdk:asset-manifest')
      .map((each) => textOf(objectOf(all.get(each)!.properties).file))
    if (manifests.includes(undefined)) throw invalid(file, `an asset manifest of the stack ${id} names no file`)
    stacks.push({
      name: nameOf(id),
      manifests: manifests.map((each) => join(folder, each!)),
      dependencies: dependencies.filter((each) => typeOf(each) === 'aws:cloudformation:stack').map(nameOf),
    })
  }
  return stacks
}

/** A JSON document of an assembly with a version that is known. @throws PublishError ASSEMBLY_INVALID */
export async function readAssemblyDocument(file: string): Promise<Fields> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (cause) {
    throw invalid(file, 'it cannot be read: run `cdk synth` first, or name the folder that it writes', cause)
  }
  const document = parse(file, bytes)
  const version = textOf(document.version)
  const major = Number(/^(\d+)\./.exec(version ?? '')?.[1])
  if (!Number.isSafeInteger(major)) throw invalid(file, 'it has no schema version, so it is not of a cloud assembly')
  if (major > NEWEST_SCHEMA)
    throw invalid(
      file,
      `its schema is ${version}, and ${NEWEST_SCHEMA} is the newest that is supported: update sociable`,
    )
  return document
}

function parse(file: string, bytes: Uint8Array): Fields {
  try {
    return objectOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (cause) {
    throw invalid(file, 'it is not valid JSON', cause)
  }
}

export function objectOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function invalid(file: string, reason: string, cause?: unknown): PublishError {
  return new PublishError('ASSEMBLY_INVALID', `${file}: ${reason}`, cause === undefined ? undefined : { cause })
}
