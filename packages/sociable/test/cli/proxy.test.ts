// The program as it is shipped, in a network that has no other way out than a proxy.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { memoryRepositories, serveRegistry } from '@sociable/oci'
import { doubles } from '../support/registries.js'
import { makeLayout, noise, temporaryFolder } from './layout.js'
import { run } from './run.js'

const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
const ECR_API = 'api.ecr.eu-west-1.amazonaws.com'
const STORAGE = 'prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com'
const SMALL = ['--min-layer-size', '0', '--span-size', '10000']
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'x', AWS_EC2_METADATA_DISABLED: 'true' }

async function layout(t: TestContext): Promise<string> {
  const cwd = await temporaryFolder(t)
  await (await makeLayout(`${cwd}/image`)).add('app', [{ 'etc/os-release': 'ID=test\n', 'bin/app': noise(50_000) }])
  return cwd
}

test('Amazon ECR: the token of the AWS SDK, the registry and its storage are reached through tunnels', async (t) => {
  const { selfSignedCertificate, startConnectProxy, startEcr } = await doubles()
  const cwd = await layout(t)
  const tls = selfSignedCertificate([ECR, ECR_API, STORAGE])
  const ecr = await startEcr({ repositories: memoryRepositories(), existing: ['app'], tls, storageName: STORAGE })
  const names = new Map([
    [ECR, ecr.host],
    [ECR_API, ecr.host],
    [STORAGE, ecr.storage.host],
  ])
  const proxy = await startConnectProxy((host) => names.get(host), { login: 'user:p@ss' })
  t.after(async () => {
    for (const one of [proxy, ecr]) await one.close()
  })
  writeFileSync(join(cwd, 'ca.pem'), tls.certificate)
  const environment = { ...KEYS, HOME: cwd, NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem') }
  const env = { ...environment, HTTPS_PROXY: `user:p%40ss@${proxy.host}` } // without a scheme, as curl takes it
  const image = `${ECR}/app:1`
  const copied = await run(['copy', 'oci:image:app', image], { cwd, env })
  assert.equal(copied.status, 0, copied.err)
  assert.doesNotMatch(copied.err, /Warning/)
  const converted = await run(['convert', image, ...SMALL], { cwd, env })
  assert.equal(converted.status, 0, converted.err)
  const read = await run(['cat', `${image}-soci`, 'etc/os-release', '-p', 'linux/amd64'], { cwd, env })
  assert.deepEqual([read.status, read.out], [0, 'ID=test\n'], read.err)
  assert.deepEqual(new Set(proxy.asked), new Set([`${ECR}:443`, `${ECR_API}:443`, `${STORAGE}:443`]))

  const before = proxy.asked.length
  const refused = await run(['inspect', image], {
    cwd,
    env: { ...environment, https_proxy: `user:wrong@${proxy.host}` },
  })
  assert.equal(refused.status, 1)
  assert.match(refused.err, /the proxy 127\.0\.0\.1:\d+ that https_proxy names answers 407: it requires a login/)
  assert.ok(!refused.err.includes('wrong'))
  assert.ok(proxy.asked.length - before <= 4, 'it is not asked again and again')
})

test('the credential chain of the AWS SDK takes the proxy, too', async (t) => {
  const { selfSignedCertificate, startConnectProxy, startEcr } = await doubles()
  const cwd = await temporaryFolder(t)
  const tls = selfSignedCertificate([ECR])
  const ecr = await startEcr({ repositories: memoryRepositories(), existing: ['app'], tls })
  const proxy = await startConnectProxy((host) => (host === ECR ? ecr.host : undefined))
  t.after(async () => {
    for (const one of [proxy, ecr]) await one.close()
  })
  writeFileSync(join(cwd, 'token'), 'a.b.c')
  writeFileSync(join(cwd, 'ca.pem'), tls.certificate)
  const env = {
    HOME: cwd,
    NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem'),
    HTTPS_PROXY: proxy.url,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: 'eu-west-1',
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/builder',
    AWS_WEB_IDENTITY_TOKEN_FILE: join(cwd, 'token'),
    AWS_MAX_ATTEMPTS: '1',
  }
  const { status } = await run(['inspect', `${ECR}/app:1`], { cwd, env })
  assert.equal(status, 1)
  assert.ok(proxy.asked.includes('sts.eu-west-1.amazonaws.com:443'), proxy.asked.join())
})

test('a registry without TLS, through a proxy that makes no tunnels to it', async (t) => {
  const { startConnectProxy } = await doubles()
  const cwd = await layout(t)
  const registry = await serveRegistry({ repositories: memoryRepositories(), allowedHosts: ['registry.corp'] })
  const proxy = await startConnectProxy((host) => (host === 'registry.corp' ? new URL(registry.url).host : undefined))
  t.after(async () => {
    for (const one of [proxy, registry]) await one.close()
  })
  const env = { HOME: cwd, HTTP_PROXY: proxy.url }
  const image = 'registry.corp:80/app:1'
  const copied = await run(['copy', 'oci:image:app', image, '--plain-http'], { cwd, env })
  assert.equal(copied.status, 0, copied.err)
  const converted = await run(['convert', image, ...SMALL, '--plain-http'], { cwd, env })
  assert.equal(converted.status, 0, converted.err)
  assert.ok(proxy.asked.length > 0 && proxy.asked.every((url) => url.startsWith('http://registry.corp/v2/')))
  const direct = await run(['inspect', image, '--plain-http'], { cwd, env: { ...env, NO_PROXY: '.corp' } })
  assert.match(direct.err, /there is no host registry\.corp/)
})
