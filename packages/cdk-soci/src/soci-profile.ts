import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import { Asset } from 'aws-cdk-lib/aws-s3-assets'
import type { Construct } from 'constructs'
import { checkProfile } from './private/check-profile'

/** A profile of the files that a start of a container reads, from `sociable profile`. With it, images get a start layer and start sooner. */
export class SociProfile {
  /** A profile in a file, for example beside the Dockerfile. It is published with the assets of the app. */
  static fromFile(path: string): SociProfile {
    return new SociProfile(path)
  }

  /** @internal */
  readonly _hash: string
  readonly #path: string

  private constructor(path: string) {
    this.#path = resolve(path)
    const content = readFileSync(path)
    checkProfile(path, content.toString('utf8'))
    this._hash = createHash('sha256').update(content).digest('hex')
  }

  /**
   * Where the profile is when the stack is deployed, as `s3://BUCKET/KEY`, which the grantee may read.
   * @internal
   */
  _bind(scope: Construct, grantee: iam.IGrantable): string {
    const stack = Stack.of(scope)
    const id = `SociProfile${this._hash.slice(0, 8).toUpperCase()}`
    const asset = (stack.node.tryFindChild(id) as Asset | undefined) ?? new Asset(stack, id, { path: this.#path })
    iam.Grant.addToPrincipal({
      grantee,
      actions: ['s3:GetObject'],
      resourceArns: [asset.bucket.arnForObjects(asset.s3ObjectKey)],
    })
    return asset.s3ObjectUrl
  }
}
