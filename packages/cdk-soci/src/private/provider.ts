import { createHash } from 'node:crypto'
import { Duration, Stack } from 'aws-cdk-lib'
import type * as iam from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'

/** What answers the custom resources of a stack: one per stack and kind of compute with its options, whatever the number of indexes. */
export interface Provider extends Construct {
  /** ARN of the function that CloudFormation calls. */
  readonly serviceToken: string
  /**
   * Stands in the custom resource's logical id: CloudFormation refuses to change the ServiceToken of a resource, so another provider has to be
   * another resource, which is made before the former is deleted.
   */
  readonly key: string
  /**
   * What reads and writes the images. The custom resource depends on the whole provider, hence on what is granted, and a grant may name things that
   * depend on the function: statements must not go into a policy that the function itself waits for.
   */
  readonly grantee: iam.IGrantable
  /**
   * Of what removes images. That permission is not the provider's but each index's: an update that takes an index away would take it away too, before
   * the index is asked to delete what it made.
   */
  readonly role: iam.IRole
  /** Whether it can answer CloudFormation before its work is done. @default false */
  readonly worksInBackground?: boolean
  /** After so long CloudFormation stops waiting: longer than everything that the provider itself can end. */
  readonly serviceTimeout: Duration
}

/** Attaches a compute to the stack of the scope: what is there already for the same options is given again. */
export type BindProvider = (scope: Construct) => Provider

/**
 * The provider of the scope's stack under the id, made if it is not there yet. Nested stacks and stages have their own.
 * `options`: as the user gave them, without defaults, so that a release with other defaults updates the function and replaces nothing.
 */
export function stackProvider<T extends Provider>(
  scope: Construct,
  kind: string,
  options: object,
  make: (stack: Stack, id: string, key: string) => T,
): T {
  const stack = Stack.of(scope)
  const key = providerKey(stack, kind, options)
  const id = `SociIndex${kind}${key}`
  return (stack.node.tryFindChild(id) as T | undefined) ?? make(stack, id, key)
}

/** 8 hexadecimal digits: the same for the same kind and options, in every synthesis. */
function providerKey(stack: Stack, kind: string, options: object): string {
  const described = JSON.stringify([kind, stack.resolve(describe(options))])
  return createHash('sha256').update(described).digest('hex').slice(0, 8).toUpperCase()
}

/**
 * Plain data for what options are made of: a construct is its path, a class that has a name (Runtime, Architecture) that name, as its other fields
 * differ between releases of the CDK, and other objects are their fields in the order of their names.
 */
function describe(value: unknown): unknown {
  if (value instanceof Duration) return value.toSeconds()
  if (Construct.isConstruct(value)) return value.node.path
  if (Array.isArray(value)) return value.map(describe)
  if (typeof value !== 'object' || value === null) return value
  if ('name' in value && Object.getPrototypeOf(value) !== Object.prototype) return value.name
  return Object.entries(value)
    .filter(([, field]) => field !== undefined && typeof field !== 'function')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => [name, describe(field)])
}
