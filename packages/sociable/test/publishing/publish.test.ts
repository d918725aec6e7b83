// `sociable publish` on an assembly of the real CDK library. Amazon ECR, STS and the CDK CLI are doubles.
import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { after, type TestContext, test } from 'node:test'
import { copyImage } from '../../src/index.js'
import { findCdk, publishAssetsArguments } from '../../src/publishing/cdk-command.js'
import { readCloudAssembly } from '../../src/publishing/cloud-assembly.js'
import { imageAssets, resolvePlaceholders, selectStacks } from '../../src/publishing/image-assets.js'
import { makeLayout, noise, temporaryFolder } from '../cli/layout.js'
import { run } from '../cli/run.js'
import { doubles } from '../support/registries.js'
import { synthesize } from './assembly.js'
import { startAwsServices } from './aws-services.js'

/** Synthesis takes seconds: once for all tests. */
const folder = mkdtempSync(`${tmpdir()}/sociable-publish-`)
after(() => rmSync(folder, { recursive: true, force: true }))
let assembled: string | undefined
const synthesized = () => {
  assembled ??= synthesize(folder)
  return assembled
}

async function cloud(t: TestContext, refuse: (role: string) => boolean = () => false) {
  const { startEcr } = await doubles()
  const ecr = await startEcr()
  t.after(() => ecr.close())
  const sts = await startAwsServices(t, refuse)
  const cwd = await temporaryFolder(t)
  const assembly = `${cwd}/cdk.out`
  cpSync(synthesized(), assembly, { recursive: true })
  const layout = await makeLayout(`${cwd}/layout`)
  await layout.add('app', [{ 'bin/app': noise(50_000) }])
  const environment = { account: '123456789012', region: 'eu-central-1', partition: 'aws' }
  const assets = (await imageAssets(await readCloudAssembly(assembly))).map((each) =>
    resolvePlaceholders(each, environment),
  )
  const push = async (selected = assets) => {
    const [username, password] = Buffer.from(ecr.authorizationToken(), 'base64').toString().split(':')
    for (const { repository, tag } of selected)
      await copyImage(`oci:${cwd}/layout:app`, `${ecr.host}/${repository}:${tag}`, { username, password })
  }
  // Stands for the CDK CLI: writes down its arguments
  writeFileSync(`${cwd}/cdk`, `#!/bin/sh\nprintf '%s\\n' "$@" > '${cwd}/arguments'\nexit "\${CDK_STATUS:-0}"\n`)
  chmodSync(`${cwd}/cdk`, 0o755)
  const env = {
    PATH: `${cwd}:${process.env.PATH}`,
    HOME: cwd,
    AWS_ACCESS_KEY_ID: 'AKIAUSER',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'eu-central-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_STS: sts.url,
    AWS_ENDPOINT_URL_ECR: ecr.url,
  }
  const publish = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    run(['publish', '--min-layer-size', '0', ...args], { cwd, env: { ...env, ...more } })
  return { ecr, sts, cwd, assembly, assets, push, publish, env }
}

test('every image of an assembly is published by the CDK CLI and converted in ECR; again, nothing changes', async (t) => {
  const { ecr, sts, cwd, assets, push, publish } = await cloud(t)
  assert.equal(assets.length, 5)
  await push()
  const first = await publish([])
  assert.equal(first.status, 0, first.err)
  const names = first.out
    .trim()
    .split('\n')
    .map((line) => line.split('@')[0])
  assert.deepEqual(
    names,
    assets.map(({ repository, tag }) => `${ecr.host}/${repository}:${tag}-soci`),
  )
  const roles = sts.asked.flatMap((query) => query.get('RoleArn') ?? [])
  assert.deepEqual(roles.toSorted(), assets.map(({ role }) => role!.arn).toSorted())
  assert.match(roles.join(), /role\/cdk-hnb659fds-image-publishing-role-123456789012-eu-central-1/)
  const args = readFileSync(`${cwd}/arguments`, 'utf8').split('\n')
  const stacks = args.indexOf('--unstable=publish-assets')
  assert.deepEqual(args.slice(1, stacks).toSorted(), ['Base', 'Empty', 'Prod/Api', 'Tar', 'Top'])
  assert.equal(args[0], 'publish-assets')
  assert.deepEqual(args.slice(stacks + 1, -1), ['--app', 'cdk.out', '--exclusively'])
  const writes = () =>
    ecr.requests.filter(({ method, path }) => method !== 'GET' && method !== 'HEAD' && path !== '/').length
  const before = writes()
  const second = await publish(['--skip-build'])
  assert.deepEqual([second.status, second.out, writes()], [0, first.out, before])
})

test('a stack brings those that it depends on; a dry run asks neither AWS nor the CDK CLI', async (t) => {
  const { publish, sts, ecr } = await cloud(t)
  const dry = await publish(['--dry-run', '--stack', 'Top'])
  assert.equal(dry.status, 0, dry.err)
  assert.match(
    dry.out,
    /^cdk-hnb659fds-container-assets-123456789012-eu-west-1:[0-9a-f]{64}-soci\n[^\n]+:executable-soci\n$/,
  )
  const stage = await publish(['--dry-run', '--stack', 'Prod/*'])
  assert.match(stage.out, /^cdk-hnb659fds-container-assets-123456789012-us-east-1:[0-9a-f]{64}-soci\n$/)
  const unknown = await publish(['--dry-run', '--stack', 'Nope'])
  assert.equal(unknown.status, 1)
  assert.match(unknown.err, /no stack is named Nope: the assembly has .*Prod\/Api/)
  assert.deepEqual([sts.asked.length, ecr.requests.length], [0, 0])
})

test('what fails is said with its reason, and the exit status is 1', async (t) => {
  const { publish, assembly, assets, ecr, push } = await cloud(t, (role) => role.includes('us-east-1'))
  const failed = await publish([], { CDK_STATUS: '3' })
  assert.equal(failed.status, 1)
  assert.match(failed.err, /`cdk publish-assets` ended with status 3: no image was indexed/)
  const missing = await publish([], { PATH: '/nowhere' })
  assert.match(missing.err, /the CDK CLI was not found/)
  // The repository exists, and has another asset
  await push(assets.filter(({ tag }) => tag === 'executable'))
  const absent = await publish(['--skip-build', '--stack', 'Tar'])
  assert.equal(absent.status, 1)
  assert.match(absent.err, /image asset Tarball: the image was not published, and the build was skipped/)
  await push()
  const role = await publish(['--skip-build', '--stack', 'Prod/Api'])
  assert.equal(role.status, 1)
  assert.match(role.err, /the role arn:aws:iam::123456789012:role\/\S+us-east-1 cannot be assumed: AccessDenied/)
  const nobody = await publish(['--skip-build'], { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' })
  assert.equal(nobody.status, 1)
  assert.match(nobody.err, /AWS does not say which account and region are the default: .*[Cc]redentials/)
  assert.ok(!/secret/.test(role.err + nobody.err))
  const small = await publish(['--skip-build', '--stack', 'Tar', '--require-index', '--min-layer-size', '1GiB'])
  assert.equal(small.status, 1)
  const before = ecr.requests.length
  const manifest = `${assembly}/manifest.json`
  const text = readFileSync(manifest, 'utf8')
  writeFileSync(manifest, text.replace(/"version": "\d+/, '"version": "999'))
  const newer = await publish([])
  assert.equal(newer.status, 1)
  assert.match(
    newer.err,
    /manifest\.json: its schema is 999\.0\.0, and \d+ is the newest that is supported: update sociable/,
  )
  writeFileSync(manifest, 'not JSON')
  assert.match((await publish([])).err, /it is not valid JSON/)
  assert.match((await publish(['elsewhere'])).err, /run `cdk synth` first/)
  assert.equal(ecr.requests.length, before)
})

test('patterns of stacks: * is any text, and what is around it may not overlap', () => {
  const stacks = ['aXb', 'ab', 'abab', 'Prod/a'].map((name) => ({ name, manifests: [], dependencies: [] }))
  const select = (pattern: string) => selectStacks(stacks, [pattern]).map(({ name }) => name)
  assert.deepEqual(select('a*b'), ['aXb', 'ab', 'abab'])
  assert.deepEqual(select('ab*ab'), ['abab'])
  assert.deepEqual(
    select('*'),
    stacks.map(({ name }) => name),
  )
  assert.deepEqual(select('*/a'), ['Prod/a'])
})

test('on Windows the CDK CLI of the path is started by Node, without a shell', async (t) => {
  const folder = await temporaryFolder(t)
  const path = 'C:\\Tools;C:\\Users\\me\\AppData\\Roaming\\npm'
  const script = 'C:\\Users\\me\\AppData\\Roaming\\npm\\node_modules\\aws-cdk\\bin\\cdk'
  assert.deepEqual(
    findCdk(folder, 'win32', path, (file) => file === script),
    { file: process.execPath, args: [script] },
  )
  assert.throws(() => findCdk(folder, 'win32', path, () => false), /the CDK CLI was not found/)
  assert.deepEqual(findCdk(folder, 'linux', '/bin'), { file: 'cdk', args: [] })
  const args = publishAssetsArguments('out', ['A'], { profile: 'p', region: 'r' })
  assert.deepEqual(args.slice(0, 3), ['publish-assets', 'A', '--unstable=publish-assets'])
  assert.deepEqual(args.slice(-4), ['--profile', 'p', '--region', 'r'])
})
