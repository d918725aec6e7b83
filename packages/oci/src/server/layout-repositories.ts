import { randomUUID } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { isRepositoryName } from '../document/reference.js'
import { StoreError } from '../error.js'
import { fileError } from '../file/random-access.js'
import { openLayout } from '../layout/layout.js'
import { LAYOUT_FILE } from '../layout/layout-version.js'
import type { Repositories, ServedStore } from './repositories.js'
import { fileStage, type UploadStage } from './upload-stage.js'

/** Folders of uploads that are under way; no repository can have such a name. */
const STAGING_PREFIX = '.uploads-'
/** What a process that died left behind is older than any upload that still goes on. */
const STALE_AFTER = 24 * 3600_000 // ms
/** Folders within folders that are looked into for layouts. */
const DEPTH_LIMIT = 16
const NO_NAME =
  'its path is not a valid repository name: use lower-case letters and digits, with single . _ or - between them'

export interface LayoutRepositoriesOptions {
  /** Whether layouts may be written and made. @default false */
  readonly write?: boolean | undefined
}

/** A layout, or a folder that may have some, which is not among the repositories. */
export interface LeftOutFolder {
  /** From the folder that is served, with `/`. */
  readonly path: string
  readonly reason: string
}

export interface LayoutRepositories extends Repositories {
  /** Looks for layouts: the names of the repositories, sorted, and what is left out and why. */
  survey(): Promise<{ readonly names: readonly string[]; readonly leftOut: readonly LeftOutFolder[] }>
}

/**
 * OCI image layouts on disk as repositories. A folder that is a layout is one repository, called as the folder is (in lower case, `-` for
 * what a name cannot have). In any other folder each layout is a repository, called by its path from there; what is pushed under a new name
 * makes a layout.
 * @throws StoreError NOT_FOUND, PROTOCOL
 */
export async function layoutRepositories(
  folder: string,
  { write = false }: LayoutRepositoriesOptions = {},
): Promise<LayoutRepositories> {
  const path = resolve(folder)
  const stats = await stat(path).catch((cause) => {
    throw fileError(cause, folder)
  })
  if (!stats.isDirectory()) throw new StoreError('NOT_FOUND', `${folder} is not a folder`)
  const single = (await isLayout(path)) ? repositoryName(basename(path)) : undefined
  const repositories = new FolderRepositories(path, single, write)
  if (single !== undefined) await repositories.open(single)
  return repositories
}

class FolderRepositories implements LayoutRepositories {
  readonly #folder: string
  /** The name of the only one there is. */
  readonly #single: string | undefined
  readonly #write: boolean
  readonly #stores = new Map<string, Promise<ServedStore>>()
  #staging: Promise<string> | undefined

  constructor(folder: string, single: string | undefined, write: boolean) {
    this.#folder = folder
    this.#single = single
    this.#write = write
  }

  open(name: string, options: { readonly create: true }): Promise<ServedStore>
  open(name: string, options?: { readonly create?: boolean | undefined }): Promise<ServedStore | undefined>
  async open(
    name: string,
    { create = false }: { readonly create?: boolean | undefined } = {},
  ): Promise<ServedStore | undefined> {
    const known = this.#stores.get(name)
    if (known !== undefined) return known
    const path = await this.#find(name, create)
    if (path === undefined) return undefined
    // While the path was looked for, another request may have opened it.
    let opened = this.#stores.get(name)
    if (opened === undefined) {
      opened = openLayout(name, path, { write: this.#write, keep: true, followLinks: false })
      this.#stores.set(name, opened)
      opened.catch(() => this.#stores.delete(name))
    }
    return opened
  }

  async *names(): AsyncGenerator<string, void, undefined> {
    if (this.#single !== undefined) yield this.#single
    else for await (const { path, reason } of layoutsWithin(this.#folder)) if (reason === undefined) yield path
  }

  async survey(): Promise<{ readonly names: readonly string[]; readonly leftOut: readonly LeftOutFolder[] }> {
    if (this.#single !== undefined) return { names: [this.#single], leftOut: [] }
    const names: string[] = []
    const leftOut: LeftOutFolder[] = []
    for await (const { path, reason } of layoutsWithin(this.#folder))
      if (reason === undefined) names.push(path)
      else leftOut.push({ path, reason })
    return { names: names.sort(), leftOut }
  }

  async stage(): Promise<UploadStage> {
    this.#staging ??= makeStaging(this.#folder)
    return fileStage(join(await this.#staging, randomUUID()))
  }

  async close(): Promise<void> {
    for (const store of this.#stores.values()) await (await store.catch(() => undefined))?.close()
    const staging = await this.#staging?.catch(() => undefined)
    if (staging !== undefined) await rm(staging, { recursive: true, force: true })
  }

  async #find(name: string, create: boolean): Promise<string | undefined> {
    if (this.#single !== undefined) {
      if (name === this.#single) return this.#folder
      if (create) throw new StoreError('DENIED', `this registry only has the repository ${this.#single}`)
      return undefined
    }
    const parts = name.split('/')
    for (let depth = 1; depth < parts.length; depth++) {
      const above = parts.slice(0, depth)
      if (!(await isLayout(join(this.#folder, ...above)))) continue
      if (create) throw new StoreError('DENIED', `${above.join('/')} is a repository, so ${name} cannot be one`)
      return undefined
    }
    const path = join(this.#folder, ...parts)
    if (await isLayout(path)) return path
    if (!create) return undefined
    if ((await readdir(path).catch(() => [])).length > 0)
      throw new StoreError('DENIED', `the repository ${name} cannot be created: its folder has other contents`)
    return path
  }
}

async function isLayout(path: string): Promise<boolean> {
  for (const file of [LAYOUT_FILE, 'index.json'])
    if (
      await stat(join(path, file)).then(
        (stats) => stats.isFile(),
        () => false,
      )
    )
      return true
  return false
}

interface FoundFolder {
  readonly path: string
  /** Why it is not a repository; undefined for one. */
  readonly reason: string | undefined
}

/** The layouts below a folder, and the folders that cannot be looked into. Hidden folders are passed over. */
async function* layoutsWithin(
  folder: string,
  prefix = '',
  depth = DEPTH_LIMIT,
): AsyncGenerator<FoundFolder, void, undefined> {
  let entries: Dirent[]
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const isGone = code === 'ENOENT' || code === 'ENOTDIR' // removed meanwhile, or a link to a file
    if (!isGone) yield { path: prefix.slice(0, -1) || '.', reason: `it cannot be read (${code})` }
    return
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.') || !(entry.isDirectory() || entry.isSymbolicLink())) continue
    const name = `${prefix}${entry.name}`
    const path = join(folder, entry.name)
    if (await isLayout(path)) yield { path: name, reason: isRepositoryName(name) ? undefined : NO_NAME }
    else if (depth > 0) yield* layoutsWithin(path, `${name}/`, depth - 1)
    else if (entry.isDirectory()) yield { path: name, reason: `it is more than ${DEPTH_LIMIT} folders deep` }
  }
}

/** A new folder beside the layouts, so that a complete upload moves into one without being copied. */
async function makeStaging(folder: string): Promise<string> {
  try {
    for (const name of await readdir(folder)) {
      if (!name.startsWith(STAGING_PREFIX)) continue
      const stats = await stat(join(folder, name)).catch(() => undefined)
      if (stats !== undefined && Date.now() - stats.mtimeMs > STALE_AFTER)
        await rm(join(folder, name), { recursive: true, force: true })
    }
    const path = join(folder, `${STAGING_PREFIX}${randomUUID()}`)
    await mkdir(path)
    return path
  } catch (cause) {
    throw fileError(cause, folder)
  }
}

function repositoryName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, (text) => (/^(?:[._]|__|-+)$/.test(text) ? text : '-'))
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
  return isRepositoryName(name) ? name : 'image'
}
