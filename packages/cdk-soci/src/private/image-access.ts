import { Annotations, Stack, Token, TokenComparison } from 'aws-cdk-lib'
import type * as ecr from 'aws-cdk-lib/aws-ecr'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'

export const READ = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']
/** `DescribeRepositories` tells whether tags can be replaced, before all the work is done; `ListImages` who owns a result that is there already. */
const WRITE = [
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
  const principals = [new iam.AccountPrincipal(account)]
  const statement = new iam.PolicyStatement({ principals, actions: actionsOf(access) })
  if (compared === TokenComparison.DIFFERENT && repository.addToResourcePolicy(statement).statementAdded) return
  const policy = Stack.of(scope).resolve(new iam.PolicyDocument({ statements: [statement] }))
  const when =
    compared === TokenComparison.DIFFERENT ? '' : `If this stack is deployed to another account than ${owner}: `
  Annotations.of(scope).addInfo(
    `${when}the repository ${nameOf(repository)} is account ${owner}'s, which must give it this policy:\n${JSON.stringify(policy, null, 2)}`,
  )
}

function nameOf(repository: ecr.IRepository): string {
  return Token.isUnresolved(repository.repositoryName) ? repository.node.path : repository.repositoryName
}
