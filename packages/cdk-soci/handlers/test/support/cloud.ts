// The part of AWS that a handler meets: ECR under its real name, Secrets Manager, and CloudFormation at the other end of the response URL.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createMemoryStore, memoryRepositories, type Store } from '@sociable/oci'
import type { Certificate } from '../../../../oci/dist/test/doubles/certificate.js'
import type { ConnectProxy } from '../../../../oci/dist/test/doubles/connect-proxy.js'
import type { Ecr, EcrOptions } from '../../../../oci/dist/test/doubles/ecr.js'
import type { Listening } from '../../../../oci/dist/test/doubles/listen.js'
import type { Answer } from '../../src/answer.js'
import type { CloudFormationEvent, Properties } from '../../src/event.js'

type Doubles = typeof import('../../../../oci/dist/test/doubles/certificate.js') &
  typeof import('../../../../oci/dist/test/doubles/fault-proxy.js') &
  typeof import('../../../../oci/dist/test/doubles/connect-proxy.js') &
  typeof import('../../../../oci/dist/test/doubles/ecr.js') &
  typeof import('../../../../oci/dist/test/doubles/link.js') &
  typeof import('../../../../oci/dist/test/doubles/listen.js') &
  typeof import('../../../../oci/dist/test/images.js')

/** What the tests of @sociable/oci have for this; no part of that package, so by its place in the workspace. */
export async function doubles(): Promise<Doubles> {
  const files = [
    'doubles/certificate',
    'doubles/connect-proxy',
    'doubles/ecr',
    'doubles/fault-proxy',
    'doubles/link',
    'doubles/listen',
    'images',
  ]
  const load = async (file: string): Promise<object> =>
    await import(new URL(`../../../../../../oci/dist/test/${file}.js`, import.meta.url).href)
  return Object.assign({}, ...(await Promise.all(files.map(load)))) as Doubles
}

export const ECR_HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
/** A registry that is not AWS's: tests lead its name to one. */
export const OTHER_HOST = 'registry.example.com'
export const STORAGE_HOST = 'prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com'
/** What stands in every response URL, and must be nowhere else. */
export const URL_SECRET = 'x-secret-of-the-response-url'

export interface Cloud {
  readonly ecr: Ecr
  /** What a process has to have in its environment to meet all this. */
  readonly environment: Readonly<Record<string, string>>
  readonly proxy: ConnectProxy
  /** Where names lead to, as `127.0.0.1:40123`; all others lead nowhere. */
  readonly names: Map<string, string>
  /** For ECR's names, and for `registry.example.com`. */
  readonly tls: Certificate
  readonly cloudFormation: CloudFormation
  /** What a repository has; made where there is none. */
  store(repository: string): Promise<Store>
  /** Secrets by their ARN. */
  readonly secrets: Map<string, string>
}

export interface CloudFormation extends Listening {
  readonly answers: readonly Received[]
  /** Statuses to answer the next PUTs with. @default 200 */
  readonly statuses: number[]
  /** An event of a resource, with a response URL that leads here. */
  event(
    type: CloudFormationEvent['RequestType'],
    properties: Properties,
    more?: Partial<CloudFormationEvent>,
  ): CloudFormationEvent
  /** The one answer to the event. @throws Error where there is none, or another besides */
  answerTo(event: CloudFormationEvent): Answer
}

export interface Received {
  readonly requestId: string
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export async function startCloud(t: TestContext, options: EcrOptions = {}): Promise<Cloud> {
  const { selfSignedCertificate, startConnectProxy, startEcr, listen } = await doubles()
  const tls = selfSignedCertificate([ECR_HOST, STORAGE_HOST, OTHER_HOST])
  const stores = new Map(['app', 'other'].map((name) => [name, createMemoryStore(name)]))
  const repositories = memoryRepositories(stores)
  const ecr = await startEcr({ repositories, existing: ['app', 'other'], tls, storageName: STORAGE_HOST, ...options })
  const names = new Map([
    [ECR_HOST, ecr.host],
    [STORAGE_HOST, ecr.storage.host],
  ])
  const proxy = await startConnectProxy((host) => names.get(host))
  const cloudFormation = await startCloudFormation(tls)
  const secrets = new Map<string, string>()
  const secretsManager = await listen(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const { SecretId } = JSON.parse(Buffer.concat(chunks).toString()) as { SecretId: string }
    const SecretString = secrets.get(SecretId)
    const body =
      SecretString === undefined
        ? { __type: 'ResourceNotFoundException', message: "Secrets Manager can't find the specified secret." }
        : { ARN: SecretId, SecretString }
    response.writeHead(SecretString === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify(body))
  })
  const certificateFile = await writeCertificate(t, tls)
  t.after(async () => {
    for (const one of [proxy, ecr, cloudFormation, secretsManager]) await one.close()
  })
  return {
    ecr,
    proxy,
    names,
    tls,
    cloudFormation,
    secrets,
    store: (repository) => repositories.open(repository, { create: true }),
    environment: {
      HTTPS_PROXY: proxy.url,
      NODE_EXTRA_CA_CERTS: certificateFile,
      AWS_ENDPOINT_URL_ECR: ecr.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'x-secret-access-key',
      AWS_SESSION_TOKEN: 'x-secret-session-token',
    },
  }
}

async function writeCertificate(t: TestContext, { certificate }: Certificate): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'ca.pem')
  await writeFile(file, certificate)
  return file
}

async function startCloudFormation(tls: Certificate): Promise<CloudFormation> {
  const { listen } = await doubles()
  const answers: Received[] = []
  const statuses: number[] = []
  const listening = await listen(
    async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const status = statuses.shift() ?? 200
      if (status === 200) {
        const requestId = new URL(request.url!, 'https://x').pathname.slice(1)
        answers.push({ requestId, method: request.method!, headers: request.headers, body: Buffer.concat(chunks) })
      }
      response.writeHead(status).end()
    },
    { tls },
  )
  return {
    ...listening,
    answers,
    statuses,
    event(RequestType, ResourceProperties, more = {}) {
      const RequestId = randomUUID()
      return {
        RequestType,
        ResponseURL: `${listening.url}/${RequestId}?X-Amz-Signature=${URL_SECRET}`,
        StackId: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/one/51af3dc0-da77-11e4-872e-1234567db123',
        RequestId,
        LogicalResourceId: 'AppSociIndex',
        ResourceProperties: {
          ServiceToken: 'arn:aws:lambda:eu-west-1:123456789012:function:indexer',
          ...ResourceProperties,
        },
        ...more,
      }
    },
    answerTo({ RequestId }) {
      const own = answers.filter(({ requestId }) => requestId === RequestId)
      if (own.length !== 1) throw new Error(`${own.length} answers to ${RequestId}, not one`)
      const [{ body, headers, method }] = own as [Received]
      if (method !== 'PUT' || body.length > 4096 || (headers['content-type'] ?? '') !== '')
        throw new Error(`no answer that CloudFormation takes: ${method} ${body.length} ${headers['content-type']}`)
      return JSON.parse(body.toString()) as Answer
    },
  }
}
