import { type Credentials, explicitCredential } from '@sociable/oci/registry'
import { withAwsClient } from './aws-client.js'
import { isObject } from './event.js'
import { PropertyError } from './index-request.js'

/**
 * The login of a mirrored image's registry, from a secret of Secrets Manager: `{"username": …, "password": …}`.
 * @throws PropertyError where it is none, without a word of what is in it; the SDK's errors
 */
export async function readLogin(secretArn: string, registry: string, signal: AbortSignal): Promise<Credentials> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager')
  const region = secretArn.split(':')[3] || undefined
  const command = new GetSecretValueCommand({ SecretId: secretArn })
  const { SecretString = '' } = await withAwsClient(
    (options) => new SecretsManagerClient({ ...options, ...(region !== undefined && { region }) }),
    (client) => client.send(command, { abortSignal: signal }),
  )
  const login = parseJson(SecretString)
  if (!isObject(login) || typeof login.username !== 'string' || typeof login.password !== 'string')
    throw new PropertyError(
      `the secret ${secretArn} is not a login: it must be JSON with "username" and "password", both strings`,
    )
  return explicitCredential(registry, login.username, login.password)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // its error would quote the secret
  }
}
