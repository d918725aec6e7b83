import { Stack, Token, TokenComparison } from 'aws-cdk-lib'
import type * as ecr from 'aws-cdk-lib/aws-ecr'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { inform } from './notes'

export const READ = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']
/** `DescribeRepositories` tells whether tags can be replaced, before all the work is done; `ListImages` who owns a result that is there already. */
export const WRITE = [
  'ecr:BatchCheckLayerAvailability',
  'ecr:CompleteLayerUpload',
  'ecr:DescribeRepositories',
  'ecr:InitiateLayerUpload',
  'ecr:ListImages',
  'ecr:PutImage',
  'ecr:UploadLayerPart',
]
const REMOVE = ['ecr:BatchDeleteImage']

/** What is done with a repository: each includes what stands before it. */
export type ImageAccess = 'read' | 'write' | 'remove'

const ACTIONS: Readonly<Record<ImageAccess, readonly string[]>> = {
  read: READ,
  write: [...READ, ...WRITE],
  remove: [...READ, ...WRITE, ...REMOVE],
}

/** Allows it to the grantee, and to log in: ECR has one token for a whole registry, so that no repository can be named. */
export function allowImageAccess(grantee: iam.IGrantable, repository: ecr.IRepository, access: ImageAccess): void {
  iam.Grant.addToPrincipal({ grantee, actions: ['ecr:GetAuthorizationToken'], resourceArns: ['*'] })
  allowImages(grantee, repository, access)
}

/** Allows it to the grantee, who may log in already. */
export function allowImages(grantee: iam.IGrantable, repository: ecr.IRepository, access: ImageAccess): void {
  iam.Grant.addToPrincipal({ grantee, actions: actionsOf(access), resourceArns: [repository.repositoryArn] })
}

function actionsOf(access: ImageAccess): string[] {
  return [...ACTIONS[access]].sort()
}

/**
 * A repository of another account has to allow it by its own policy too: that is added if the repository is the app's, else printed as a note
 * of the scope.
 */
export function askOwner(scope: Construct, repository: ecr.IRepository, access: ImageAccess): void {
  const { account } = Stack.of(scope)
  const owner = repository.env.account
  const compared = Token.compareStrings(account, owner)
  if (compared === TokenComparison.SAME || compared === TokenComparison.BOTH_UNRESOLVED) return
  if (Token.isUnresolved(owner)) return // a repository of a stack whose account is only known when it is deployed
  const actions = actionsOf(access)
  const statement = new iam.PolicyStatement({ principals: [new iam.AccountPrincipal(account)], actions })
  if (compared === TokenComparison.DIFFERENT && repository.addToResourcePolicy(statement).statementAdded) return
  const name = nameOf(repository)
  if (!isFirst(scope, `${name} ${access}`)) return
  const known = compared === TokenComparison.DIFFERENT
  // An account's number stands for its root, and needs no partition
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: known ? account : 'ACCOUNT_ID' }, Action: actions }],
  }
  const when = known ? '' : `If this stack is deployed to another account than ${owner}: `
  const replaced = known ? '' : ", with the number of the stack's account for ACCOUNT_ID"
  inform(
    scope,
    `cdk-soci:repositoryPolicy:${name}`,
    `${when}the repository ${name} is account ${owner}'s, which must give it this policy${replaced}:\n${JSON.stringify(policy, null, 2)}\n`,
  )
}

/** The policies that were printed for a stack. */
const printed = new WeakMap<Stack, Set<string>>()

function isFirst(scope: Construct, key: string): boolean {
  const stack = Stack.of(scope)
  const keys = printed.get(stack) ?? new Set<string>()
  printed.set(stack, keys)
  return keys.size < keys.add(key).size
}

function nameOf(repository: ecr.IRepository): string {
  return Token.isUnresolved(repository.repositoryName) ? repository.node.path : repository.repositoryName
}
