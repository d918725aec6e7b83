// What AWS has to say before an image can be read: who we are, and a login for the asset's repository.
import { AWS_TIMEOUTS, awsRequestHandler } from '@sociable/oci/registry'
import type { CallOptions } from '../options.js'
import type { AwsEnvironment, ImageAsset } from './image-assets.js'
import { PublishError } from './publish-error.js'

export interface AwsOptions extends CallOptions {
  readonly profile?: string | undefined
  /** For assets without a region. @default that of the environment or the profile */
  readonly region?: string | undefined
}

/** A repository and the login for it. */
export interface RepositoryAccess {
  /** `HOST/NAME`. */
  readonly uri: string
  readonly username: string
  readonly password: string
}

const SESSION_NAME = 'sociable-publish'

/** The default account and region. @throws PublishError AWS_REFUSED without credentials or region */
export async function defaultEnvironment({ profile, region, signal }: AwsOptions): Promise<AwsEnvironment> {
  const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts')
  const client = new STSClient({ profile, region, requestHandler: await awsRequestHandler(AWS_TIMEOUTS) })
  try {
    const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal })
    return { account: Account ?? '', region: await client.config.region(), partition: Arn?.split(':')[1] ?? 'aws' }
  } catch (cause) {
    throw refused('AWS does not say which account and region are the default', cause, signal)
  } finally {
    client.destroy()
  }
}

/** A login for the repository, with the asset's role if it has one. @throws PublishError AWS_REFUSED */
export async function repositoryAccess(asset: ImageAsset, options: AwsOptions): Promise<RepositoryAccess> {
  const { profile, signal } = options
  const { repository, role, region } = asset
  const { DescribeRepositoriesCommand, ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr')
  const credentials = role && (await assumeRole(role, asset, options))
  const requestHandler = await awsRequestHandler(AWS_TIMEOUTS)
  const client = new ECRClient({ profile, region, requestHandler, ...(credentials && { credentials }) })
  try {
    const described = await client.send(new DescribeRepositoriesCommand({ repositoryNames: [repository] }), {
      abortSignal: signal,
    })
    const uri = described.repositories?.[0]?.repositoryUri
    const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}), { abortSignal: signal })
    const pair = Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64').toString('utf8')
    const colon = pair.indexOf(':')
    if (uri === undefined || colon < 0) throw new Error('Amazon ECR gave no address or no token')
    return { uri, username: pair.slice(0, colon), password: pair.slice(colon + 1) }
  } catch (cause) {
    throw refused(`Amazon ECR gives no access to the repository ${repository} in ${region}`, cause, signal)
  } finally {
    client.destroy()
  }
}

interface TemporaryCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

async function assumeRole(
  { arn, externalId }: NonNullable<ImageAsset['role']>,
  { region }: ImageAsset,
  { profile, signal }: AwsOptions,
): Promise<TemporaryCredentials> {
  const { AssumeRoleCommand, STSClient } = await import('@aws-sdk/client-sts')
  const client = new STSClient({ profile, region, requestHandler: await awsRequestHandler(AWS_TIMEOUTS) })
  const command = new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: SESSION_NAME, ExternalId: externalId })
  try {
    const { Credentials } = await client.send(command, { abortSignal: signal })
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {}
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
  } catch (cause) {
    throw refused(`the role ${arn} cannot be assumed`, cause, signal)
  } finally {
    client.destroy()
  }
}

function refused(what: string, cause: unknown, signal: AbortSignal | undefined): unknown {
  signal?.throwIfAborted()
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  return new PublishError('AWS_REFUSED', `${what}: ${reason}`, { cause })
}
