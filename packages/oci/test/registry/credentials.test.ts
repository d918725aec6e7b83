// Where logins are found, and in what order.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type EcrHost, parseEcrHost } from '../../src/document/ecr-host.js'
import { StoreError } from '../../src/error.js'
import { authFile } from '../../src/registry/credentials/auth-file.js'
import {
  type Credential,
  type CredentialRequest,
  type Credentials,
  explicitCredential,
  firstOf,
} from '../../src/registry/credentials/credential.js'
import { defaultCredentials } from '../../src/registry/credentials/default.js'
import { type EcrApi, ecrCredentials } from '../../src/registry/credentials/ecr.js'
import { temporaryFolder } from '../tools.js'

const auth = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString('base64')

function writeAuths(t: TestContext, value: unknown): Credentials {
  const path = join(temporaryFolder(t), 'config.json')
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
  return authFile(path)
}

/** What is found, in short: `user:password`, `identity:…`, `registry:…`, or nothing. */
async function find(
  credentials: Credentials,
  registry: string,
  request?: CredentialRequest,
): Promise<string | undefined> {
  return short(await credentials(registry, request))
}

function short(credential: Credential | undefined): string | undefined {
  if (credential === undefined) return undefined
  if (credential.kind === 'password') return `${credential.username}:${credential.password}`
  return credential.kind === 'identity-token' ? `identity:${credential.token}` : `registry:${credential.token}`
}

test('docker’s file', async (t) => {
  const credentials = writeAuths(t, {
    auths: {
      'https://index.docker.io/v1/': { auth: auth('hub', 'pass:word') },
      'a.test': { auth: auth('a', 'x') },
      'https://b.test:5000/v2/': { auth: auth('b', 'x\u0000\u0000') },
      'http://C.test': { username: 'c', password: 'x' },
      'd.test': { auth: auth('<token>', ''), identitytoken: 'abc' },
      'e.test': { registrytoken: 'def' },
      'f.test': {},
      'g.test': { auth: '!!!' },
      'h.test': null,
      'i.test': { auth: 7 },
    },
  })
  for (const [registry, expected] of [
    ['docker.io', 'hub:pass:word'],
    ['a.test', 'a:x'],
    ['b.test:5000', 'b:x'],
    ['c.test', 'c:x'],
    ['d.test', 'identity:abc'],
    ['e.test', 'registry:def'],
    ['f.test', undefined],
    ['g.test', undefined],
    ['h.test', undefined],
    ['i.test', undefined],
    ['x.test', undefined],
    ['a.test:5000', undefined],
    ['evil-a.test', undefined],
  ] as const)
    assert.equal(await find(credentials, registry), expected, registry)
})

test('podman’s file: the longest name counts', async (t) => {
  const credentials = writeAuths(t, {
    auths: {
      'a.test': { auth: auth('host', 'x') },
      'a.test/team': { auth: auth('team', 'x') },
      'a.test/team/app': { auth: auth('app', 'x') },
      'docker.io/user': { auth: auth('hub', 'x') },
    },
  })
  for (const [registry, repository, expected] of [
    ['a.test', 'team/app', 'app:x'],
    ['a.test', 'team/app/deep', 'app:x'],
    ['a.test', 'team/application', 'team:x'],
    ['a.test', 'teamwork', 'host:x'],
    ['docker.io', 'user/app', 'hub:x'],
    ['docker.io', 'other/app', undefined],
  ] as const)
    assert.equal(await find(credentials, registry, { repository }), expected, repository)
})

test('files that cannot be used are noted, without their content', async (t) => {
  for (const [content, noted] of [
    ['{"auths":{"a.test":{"auth":"c2VjcmV0', true],
    ['', true],
    ['[]', false],
    ['null', false],
    ['{"auths":[7],"credHelpers":7,"credsStore":7}', false],
  ] as const) {
    const notes: string[] = []
    assert.equal(await find(writeAuths(t, content), 'a.test', { note: (text) => notes.push(text) }), undefined)
    assert.equal(notes.length, noted ? 1 : 0)
    assert.doesNotMatch(notes.join(), /c2VjcmV0/)
  }
  assert.equal(await find(authFile(join(temporaryFolder(t), 'none', 'x.json')), 'a.test'), undefined)
  const notes: string[] = []
  assert.equal(await find(authFile(temporaryFolder(t)), 'a.test', { note: (text) => notes.push(text) }), undefined)
  assert.match(notes[0]!, /is not a regular file/)
})

/** A folder on PATH with a credential helper that does what the shell text says; what it was asked is in `asked`. */
function helper(t: TestContext, name: string, script: string): { asked(): string } {
  const folder = temporaryFolder(t)
  const path = join(folder, `docker-credential-${name}`)
  writeFileSync(path, `#!/bin/sh\nserver=$(cat)\necho "$1 $server" >> '${folder}/asked'\n${script}\n`)
  chmodSync(path, 0o755)
  const before = process.env.PATH
  process.env.PATH = `${folder}${delimiter}${before}`
  t.after(() => {
    process.env.PATH = before
  })
  return { asked: () => readFileSync(join(folder, 'asked'), 'utf8') }
}

const windows = process.platform === 'win32' && 'the helpers of these tests are shell scripts'

test('credential helpers', { skip: windows }, async (t) => {
  const store = helper(t, 'store', `printf '{"ServerURL":"%s","Username":"u","Secret":"s"}' "$server"`)
  const one = helper(t, 'one', `printf '{"Username":"<token>","Secret":"id"}'`)
  helper(t, 'none', `echo 'credentials not found in native keychain'; exit 1`)
  helper(t, 'broken', `echo 'no session bus'; exit 3`)
  helper(t, 'odd', 'echo hello')
  helper(t, 'endless', 'yes')
  const credentials = writeAuths(t, {
    auths: { 'none.test': { auth: auth('file', 'x') }, 'broken.test': { auth: auth('file', 'x') } },
    credsStore: 'store',
    credHelpers: {
      'one.test': 'one',
      'none.test': 'none',
      'broken.test': 'broken',
      'odd.test': 'odd',
      'endless.test': 'endless',
      'missing.test': 'missing',
      'path.test': '../../bin/sh',
    },
  })
  const notes: string[] = []
  const note = (text: string) => void notes.push(text)
  assert.equal(await find(credentials, 'any.test:5000', { note }), 'u:s')
  assert.equal(await find(credentials, 'docker.io', { note }), 'u:s')
  assert.equal(store.asked(), 'get any.test:5000\nget https://index.docker.io/v1/\n')
  assert.equal(await find(credentials, 'one.test', { note }), 'identity:id')
  assert.equal(one.asked(), 'get one.test\n')
  assert.equal(await find(credentials, 'none.test', { note }), 'file:x')
  assert.deepEqual(notes, [])
  assert.equal(await find(credentials, 'broken.test', { note }), 'file:x')
  for (const name of ['odd', 'endless', 'missing', 'path'])
    assert.equal(await find(credentials, `${name}.test`, { note }), undefined)
  assert.deepEqual(notes, [
    'docker-credential-broken failed with status 3',
    'docker-credential-odd returned an unreadable credential',
    'docker-credential-endless returned more than 1048576 bytes',
    'docker-credential-missing is not installed',
    '"../../bin/sh" is not a valid name of a credential helper',
  ])
})

test('a credential helper is ended with its call', { skip: windows }, async (t) => {
  helper(t, 'asleep', 'exec sleep 60')
  const credentials = writeAuths(t, { credsStore: 'asleep' })
  const abort = new AbortController()
  const reason = new Error('enough')
  setTimeout(() => abort.abort(reason), 20)
  await assert.rejects(credentials('a.test', { signal: abort.signal }), reason)
})

test('the hosts of ECR', () => {
  const cn = { account: '123456789012', region: 'cn-north-1', fips: false, dualStack: false }
  const hosts: readonly (readonly [string, EcrHost | undefined])[] = [
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', { ...cn, region: 'eu-west-1' }],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', cn],
    ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', { ...cn, region: 'us-gov-west-1', fips: true }],
    ['123456789012.dkr-ecr.eu-west-1.on.aws', { ...cn, region: 'eu-west-1', dualStack: true }],
    ['123456789012.dkr-ecr-fips.us-east-2.on.aws', { ...cn, region: 'us-east-2', fips: true, dualStack: true }],
    ['123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn', { ...cn, dualStack: true }],
    ['123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu', { ...cn, region: 'eusc-de-east-1' }],
    ['123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov', { ...cn, region: 'us-iso-east-1' }],
    ['123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov', { ...cn, region: 'us-isob-east-1' }],
    ['123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk', { ...cn, region: 'eu-isoe-west-1' }],
    ['123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov', { ...cn, region: 'us-isof-south-1' }],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.test', undefined],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com:443', undefined],
    ['12345678901.dkr.ecr.eu-west-1.amazonaws.com', undefined],
    ['x123456789012.dkr.ecr.eu-west-1.amazonaws.com', undefined],
    ['123456789012.dkr.ecr.evil.test/.amazonaws.com', undefined],
    ['123456789012.dkr.ecr.a.b.amazonaws.com', undefined],
    ['public.ecr.aws', undefined],
    ['docker.io', undefined],
  ]
  for (const [host, expected] of hosts) assert.deepEqual(parseEcrHost(host), expected, host)
})

test('ECR: one token for each registry, kept until half an hour before its end', async () => {
  const calls: string[] = []
  let life = 12 * 3600_000
  const token = () => ({ authorizationToken: auth('AWS', `p${calls.length}`), expiresAt: new Date(Date.now() + life) })
  const api: EcrApi = {
    async token({ region }) {
      calls.push(region)
      return token()
    },
    async publicToken() {
      calls.push('public')
      return token()
    },
  }
  const credentials = ecrCredentials(api)
  const host = (region: string) => `123456789012.dkr.ecr.${region}.amazonaws.com`
  assert.equal(await find(credentials, host('eu-west-1')), 'AWS:p1')
  assert.equal(await find(credentials, host('eu-west-1')), 'AWS:p1')
  assert.equal(await find(credentials, host('us-east-1')), 'AWS:p2')
  assert.equal(await find(credentials, 'public.ecr.aws'), 'AWS:p3')
  assert.equal(await find(credentials, 'docker.io'), undefined)
  const refused = (await credentials(host('eu-west-1')))!
  assert.equal(await find(credentials, host('eu-west-1'), { refused: [refused] }), 'AWS:p4')
  life = 29 * 60_000
  assert.equal(await find(credentials, host('ap-south-1')), 'AWS:p5')
  assert.equal(await find(credentials, host('ap-south-1')), 'AWS:p6')
  assert.deepEqual(calls, ['eu-west-1', 'us-east-1', 'public', 'eu-west-1', 'ap-south-1', 'ap-south-1'])
})

test('ECR: if AWS returns no token there is a note, and the next call asks again', async () => {
  let fails = true
  const credentials = ecrCredentials({
    async token() {
      if (fails)
        throw Object.assign(new Error('Could not load credentials from any providers'), {
          name: 'CredentialsProviderError',
        })
      return { authorizationToken: auth('AWS', 'x'), expiresAt: new Date(Date.now() + 3600_000) }
    },
    publicToken: async () => undefined,
  })
  const notes: string[] = []
  const host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
  assert.equal(await find(credentials, host, { note: (text) => notes.push(text) }), undefined)
  assert.deepEqual(notes, [
    `AWS returned no token for ${host}: CredentialsProviderError: Could not load credentials from any providers`,
  ])
  fails = false
  assert.equal(await find(credentials, host), 'AWS:x')
  assert.equal(await find(credentials, 'public.ecr.aws'), undefined) // anonymous will do
})

test('ECR: a StoreError of the API is final', async () => {
  const failure = new StoreError('UNREACHABLE', 'no way to the API')
  const credentials = ecrCredentials({
    token: async () => {
      throw failure
    },
    publicToken: async () => undefined,
  })
  const note = () => assert.fail('a note')
  await assert.rejects(find(credentials, '123456789012.dkr.ecr.eu-west-1.amazonaws.com', { note }), failure)
})

test('the order of all, and the next where one is refused', async (t) => {
  const home = temporaryFolder(t)
  const file = (path: string[], user: string, ...registries: string[]) => {
    mkdirSync(join(home, ...path.slice(0, -1)), { recursive: true })
    const auths = Object.fromEntries(registries.map((registry) => [registry, { auth: auth(user, `${user}-secret`) }]))
    writeFileSync(join(home, ...path), JSON.stringify({ auths }))
    return join(home, ...path)
  }
  const ecrHost = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
  const named = file(['named.json'], 'named', 'a.test')
  file(['.docker', 'config.json'], 'docker', 'a.test', 'b.test', ecrHost)
  file(['run', 'containers', 'auth.json'], 'podman', 'a.test', 'b.test', 'c.test')
  file(['.config', 'containers', 'auth.json'], 'config', 'c.test', 'd.test')
  const aws: EcrApi = {
    token: async () => ({ authorizationToken: auth('AWS', 'x'), expiresAt: new Date(Date.now() + 3600_000) }),
    publicToken: async () => undefined,
  }
  const environment = { HOME: home, REGISTRY_AUTH_FILE: named, XDG_RUNTIME_DIR: join(home, 'run') }
  const credentials = defaultCredentials(environment, aws)
  for (const [registry, user] of [
    ['a.test', 'named'],
    ['b.test', 'docker'],
    ['c.test', 'podman'],
    ['d.test', 'config'],
  ])
    assert.equal(await find(credentials, registry!), `${user}:${user}-secret`)
  assert.equal(await find(credentials, 'e.test'), undefined)
  // A `docker login` to ECR of yesterday.
  const stale = (await credentials(ecrHost))!
  assert.equal(short(stale), 'docker:docker-secret')
  assert.equal(await find(credentials, ecrHost, { refused: [stale] }), 'AWS:x')
  const elsewhere = defaultCredentials(
    { HOME: home, DOCKER_CONFIG: join(home, 'none'), XDG_CONFIG_HOME: join(home, 'none') },
    aws,
  )
  assert.equal(await find(elsewhere, 'a.test'), undefined)
})

test('a given login is for one registry only', async () => {
  const credentials = firstOf(explicitCredential('a.test', 'u', 'p'), explicitCredential('b.test', 'v', 'q'))
  assert.equal(await find(credentials, 'a.test'), 'u:p')
  assert.equal(await find(credentials, 'b.test'), 'v:q')
  assert.equal(await find(credentials, 'c.test'), undefined)
})
