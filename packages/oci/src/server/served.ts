import type { Budget } from './budget.js'
import type { Repositories, ServedStore } from './repositories.js'
import type { Uploads } from './uploads.js'

/** What the answers to requests need of the registry they belong to. */
export interface Served {
  readonly repositories: Repositories
  readonly uploads: Uploads
  /** Entries on one page of a list. */
  readonly pageSize: number
  /** Bytes of the largest blob that is accepted. */
  readonly blobLimit: number
  /** Bytes of manifests that are being received. */
  readonly bodies: Budget
  /** @throws RequestError NAME_UNKNOWN */
  repository(name: string): Promise<ServedStore>
}
