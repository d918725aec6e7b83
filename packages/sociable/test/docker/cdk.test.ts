// The real CDK CLI publishes an image that podman builds. Amazon ECR and the other services of AWS are doubles.
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { memoryRepositories } from '@sociable/oci'
import { inspect } from '../../src/index.js'
import { noise, temporaryFolder } from '../cli/layout.js'
import { PROGRAM } from '../cli/run.js'
import { synthesize } from '../publishing/assembly.js'
import { startAwsServices } from '../publishing/aws-services.js'
import { doubles } from '../support/registries.js'
import { runProgramOf } from './programs.js'

const CDK = fileURLToPath(new URL('../../../../../node_modules/aws-cdk/bin/cdk', import.meta.url))
const REPOSITORY = 'cdk-hnb659fds-container-assets-123456789012-eu-west-1'
const APP = `
const { App, Stack } = require('aws-cdk-lib')
const { DockerImageAsset } = require('aws-cdk-lib/aws-ecr-assets')
const app = new App({ analyticsReporting: false, outdir: process.argv[2] })
const stack = new Stack(app, 'App', { env: { account: '123456789012', region: 'eu-west-1' } })
const directory = process.argv[3]
require('node:fs').writeFileSync(directory + '/Dockerfile', 'FROM scratch\\nCOPY data /data\\nCMD ["/data"]\\n')
new DockerImageAsset(stack, 'One', { directory })
new DockerImageAsset(stack, 'Two', { directory, buildArgs: { other: 'yes' } })
app.synth()
`

/** An app with two images, a CDK CLI and a `sociable-docker` on the path, and AWS. Undefined without podman. */
async function project(t: TestContext) {
  const { startEcr, tool } = await doubles()
  const podman = await tool(t, 'podman')
  if (podman === undefined) return undefined
  const repositories = memoryRepositories()
  await repositories.open(REPOSITORY, { create: true })
  const ecr = await startEcr({ repositories })
  t.after(() => ecr.close())
  const { url } = await startAwsServices(t)
  const cwd = await temporaryFolder(t)
  // The content differs between runs, so that podman builds and pushes
  const app = `require('node:fs').writeFileSync(process.argv[3] + '/data', Buffer.from('${Buffer.from(noise(30_000)).toString('base64')}', 'base64'))\n${APP}`
  const manifest = `${synthesize(cwd, app)}/App.assets.json`
  // The template's bucket has no double
  writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), files: {} }))
  const put = (name: string, script: string) => {
    writeFileSync(`${cwd}/${name}`, `#!/bin/sh\n${script}\n`)
    chmodSync(`${cwd}/${name}`, 0o755)
  }
  const shipped = (name: string) => fileURLToPath(new URL(`../../bin/cli/${name}.js`, import.meta.url))
  put('cdk', `exec "${process.execPath}" "${CDK}" "$@"`)
  put('sociable-docker', `exec "${process.execPath}" "${shipped('sociable-docker')}" "$@"`)
  writeFileSync(
    `${cwd}/storage.conf`,
    `[storage]\ndriver = "vfs"\nrunroot = "${cwd}/run"\ngraphroot = "${cwd}/storage"\n`,
  )
  writeFileSync(`${cwd}/registries.conf`, `[[registry]]\nlocation = "${ecr.host}"\ninsecure = true\n`)
  const env = {
    PATH: `${cwd}${delimiter}${process.env.PATH}`,
    HOME: cwd,
    XDG_RUNTIME_DIR: cwd,
    CONTAINERS_STORAGE_CONF: `${cwd}/storage.conf`,
    CONTAINERS_REGISTRIES_CONF: `${cwd}/registries.conf`,
    AWS_ACCESS_KEY_ID: 'AKIAUSER',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'eu-west-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL: url,
    AWS_ENDPOINT_URL_ECR: ecr.url,
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    SOCIABLE_MIN_LAYER_SIZE: '0',
  }
  const [username, password] = Buffer.from(ecr.authorizationToken(), 'base64').toString().split(':')
  const { dockerImages } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly dockerImages: object }
  const images = Object.keys(dockerImages).map((tag) => `${ecr.host}/${REPOSITORY}:${tag}`)
  const areEnabled = () =>
    Promise.all(images.map(async (image) => (await inspect(`${image}-soci`, { username, password })).sociEnabled))
  return { cwd, env, podman, images, areEnabled }
}

const PUBLISH = ['publish-assets', '--all', '--unstable=publish-assets', '--app', 'cdk.out', '--no-notices']

test('CDK_DOCKER=sociable-docker: the images that the CDK CLI pushes are SOCI-enabled', async (t) => {
  const made = await project(t)
  if (made === undefined) return
  const { cwd, env, podman, images, areEnabled } = made
  const options = { cwd, env: { ...env, CDK_DOCKER: 'sociable-docker', SOCIABLE_DOCKER: podman } }
  const { status, out, err } = await runProgramOf(`${cwd}/cdk`, PUBLISH, options)
  assert.equal(status, 0, out + err)
  assert.equal(images.length, 2)
  assert.deepEqual(await areEnabled(), [true, true])
})

test('sociable publish has the real CDK CLI build the images, then converts them', async (t) => {
  const made = await project(t)
  if (made === undefined) return
  const { cwd, env, podman, images, areEnabled } = made
  const options = { cwd, env: { ...env, CDK_DOCKER: podman } }
  const { status, out, err } = await runProgramOf(process.execPath, [PROGRAM, 'publish'], options)
  assert.equal(status, 0, out + err)
  const names = out.split('\n').flatMap((line) => line.split('@')[0] || [])
  assert.deepEqual(
    names,
    images.map((image) => `${image}-soci`),
  )
  assert.deepEqual(await areEnabled(), [true, true])
})
