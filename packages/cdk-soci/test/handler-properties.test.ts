// What the constructs write into templates is what the handlers read, once CloudFormation has put in what it knows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseReference } from '@sociable/oci'
import { RemovalPolicy } from 'aws-cdk-lib'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { SociContainerImage } from 'cdk-soci'
import { asText, IMAGE, indexesOf, newStack, only, resourcesOf } from './templates.js'

interface Request {
  readonly repository: { readonly uri: string }
  readonly input: string
  readonly output: { readonly repository: { readonly uri: string }; readonly tag: string }
  readonly source?: string
  readonly sourceSecretArn?: string
  readonly options: {
    readonly spanSize?: number
    readonly platforms?: readonly string[]
    readonly requireIndex: boolean
  }
  readonly removal: string
}
interface Handlers {
  parseIndexRequest(properties: Readonly<Record<string, unknown>>): Request
}
const HANDLERS = new URL('../../handlers/dist/handlers/src/index-request.js', import.meta.url)
const { parseIndexRequest } = (await import(HANDLERS.href)) as Handlers

const KNOWN: Readonly<Record<string, string>> = {
  'AWS::AccountId': '111111111111',
  'AWS::Region': 'eu-west-1',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::Partition': 'aws',
}
const HOST = '111111111111.dkr.ecr.eu-west-1.amazonaws.com'

/** What the handler takes the container's image for. Repositories of the stack are called as their logical ids. */
function requestOf(makeImage: (stack: ReturnType<typeof newStack>) => ecs.ContainerImage): Request {
  const stack = newStack()
  new ecs.FargateTaskDefinition(stack, 'Task').addContainer('web', { image: makeImage(stack) })
  const properties = only(indexesOf(resourcesOf(stack)))
  const known = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(known)
    return asText(value)
      .replace(/<\{"Fn::Select":\[([34]).*?\}>/g, (_, part) => (part === '4' ? KNOWN['AWS::AccountId']! : 'eu-west-1'))
      .replace(/<([\w:]+)>/g, (_, name: string) => KNOWN[name] ?? name.toLowerCase())
  }
  return parseIndexRequest(
    Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [name, name.startsWith('Service') ? '' : known(value)]),
    ),
  )
}

test('an asset', () => {
  const request = requestOf(() =>
    SociContainerImage.fromAsset(IMAGE, { spanSize: 1 << 20, platforms: ['linux/arm64'] }),
  )
  assert.equal(request.repository.uri, `${HOST}/cdk-hnb659fds-container-assets-111111111111-eu-west-1`)
  assert.match(request.output.tag, new RegExp(`^${request.input}-soci-[0-9a-f]{8}$`))
  assert.deepEqual(request.options.platforms, ['linux/arm64'])
  assert.equal(request.options.spanSize, 1 << 20)
  assert.equal(request.removal, 'retain')
})

test('an image of a repository that goes to another', () => {
  const request = requestOf((stack) => {
    const [from, outputRepository] = ['From', 'To'].map((id) => new ecr.Repository(stack, id)) as [
      ecr.Repository,
      ecr.Repository,
    ]
    const removalPolicy = RemovalPolicy.DESTROY
    return SociContainerImage.fromEcrRepository(from, '1', { outputRepository, removalPolicy, requireIndex: true })
  })
  assert.match(request.repository.uri, new RegExp(`^${HOST}/from\\w+$`))
  assert.match(request.output.repository.uri, new RegExp(`^${HOST}/to\\w+$`))
  assert.deepEqual([request.input, request.output.tag], ['1', '1-soci'])
  assert.equal(request.removal, 'destroy')
  assert.equal(request.options.requireIndex, true)
})

test('images of other registries', () => {
  const digest = `sha256:${'ab'.repeat(32)}`
  const cases: [string, string, object][] = [
    ['nginx', 'latest', { registry: 'docker.io', repository: 'library/nginx', tag: 'latest' }],
    ['docker:27', '27', { registry: 'docker.io', repository: 'library/docker', tag: '27' }],
    [`ghcr.io/a/b@${digest}`, digest.replace(':', '-'), { registry: 'ghcr.io', repository: 'a/b', digest }],
  ]
  for (const [name, tag, reference] of cases) {
    const request = requestOf((stack) =>
      SociContainerImage.fromRegistry(name, { credentials: new Secret(stack, 'Login'), refresh: '1' }),
    )
    assert.equal(request.input, tag)
    assert.match(request.output.tag.replace(`${tag}-soci`, ''), /^-[0-9a-f]{8}$/) // of `refresh`
    assert.deepEqual(parseReference(request.source!), { transport: 'registry', ...reference })
    assert.match(request.sourceSecretArn ?? '', /^login/)
  }
})
